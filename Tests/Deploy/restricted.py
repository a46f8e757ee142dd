"""Runs a program as a unit of systemd restricts it: system calls, families of addresses, memory that can be written and
executed, and no way to more rights. Another system call than those that the unit allows ends the program with SIGSYS.

    restricted.py UNIT UID PROGRAM [ARGUMENT...]

UID is the user to become; 0 stays as it is.
"""

import errno
import os
import subprocess
import sys

import seccomp

PROT_WRITE, PROT_EXEC = 2, 4


def settings(path):
    """The values of each key, in their order."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            key, equals, value = line.strip().partition("=")
            if equals and not key.startswith("#"):
                found.setdefault(key, []).append(value)
    return found


def members(name):
    """The system calls that a name of the filter stands for."""
    if not name.startswith("@"):
        return {name}
    text = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True
    ).stdout
    names = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    return set().union(*(members(other) for other in names if not other.startswith("#")))


def allowed(filters):
    calls = set()
    for words in filters:
        group = set().union(*(members(name) for name in words.lstrip("~").split()))
        calls = calls - group if words.startswith("~") else calls | group
    return calls


def restrict(unit):
    kill, refuse = seccomp.KILL_PROCESS, seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(kill)
    families = {getattr(__import__("socket"), name) for name in unit["RestrictAddressFamilies"][0].split()}
    for name in sorted(allowed(unit["SystemCallFilter"])):
        try:
            if name == "socket":
                for family in range(0, 64):
                    answer = seccomp.ALLOW if family in families else seccomp.ERRNO(errno.EAFNOSUPPORT)
                    rules.add_rule(answer, name, seccomp.Arg(0, seccomp.EQ, family))
            elif name == "mmap":
                both = PROT_WRITE | PROT_EXEC
                for value in (0, PROT_WRITE, PROT_EXEC):
                    rules.add_rule(seccomp.ALLOW, name, seccomp.Arg(2, seccomp.MASKED_EQ, both, value))
                rules.add_rule(refuse, name, seccomp.Arg(2, seccomp.MASKED_EQ, both, both))
            elif name in ("mprotect", "pkey_mprotect"):
                rules.add_rule(seccomp.ALLOW, name, seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, 0))
                rules.add_rule(refuse, name, seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, PROT_EXEC))
            else:
                rules.add_rule(seccomp.ALLOW, name)
        except RuntimeError:
            pass  # A call of another machine, which has no number here.
    rules.load()


if __name__ == "__main__":
    path, user, *command = sys.argv[1:]
    unit = settings(path)
    if int(user) != 0:
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    os.umask(int(unit["UMask"][0], 8))
    restrict(unit)
    os.execv(command[0], command)
