package import Platform

/// The scripts with which shells complete commands, flags and their values.
package enum CompletionScript {
    /// - Parameter commands: the declarations of all commands.
    package static func text(for shell: Shell, _ commands: [CommandSyntax]) -> String {
        switch shell {
        case .bash: bash(commands)
        case .zsh: zsh(commands)
        }
    }

    // MARK: bash

    /// The script needs nothing but bash itself. bash makes a word of its own of the equals sign in `--flag=value`.
    private static func bash(_ commands: [CommandSyntax]) -> String {
        """
        # bash completion of lkpush, printed by: lkpush completion bash
        _lkpush() {
            local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= words= i
            if [[ $current == = ]]; then
                current=
            elif [[ $before == = ]]; then
                before=${COMP_WORDS[COMP_CWORD-2]}
            fi
            for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                    --env-file)
                        ((i += 1))
                        [[ ${COMP_WORDS[i]} != = ]] || ((i += 1)) ;;
                    \(commands.map(\.name).joined(separator: " | ")))
                        command=${COMP_WORDS[i]}
                        break ;;
                esac
            done
            COMPREPLY=()
            case "$command $before" in
        \(valueCases(commands).joined(separator: "\n"))
                *)
                    case $command in
        \(commands.map(bashCase).joined(separator: "\n"))
                        *) words='\(words(commands.map(\.name) + spellings(CommandFlag.common)))' ;;
                    esac ;;
            esac
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        }
        complete -F _lkpush lkpush

        """
    }

    private static func bashCase(_ command: CommandSyntax) -> String {
        let all = (command.argument?.words ?? []) + spellings(command.allFlags)
        return "                \(command.name)) words='\(words(all))' ;;"
    }

    /// A case for each flag that has a value. No word is proposed for free text.
    private static func valueCases(_ commands: [CommandSyntax]) -> [String] {
        let files = [
            "        *' --env-file')", "            compopt -o filenames",
            "            mapfile -t COMPREPLY < <(compgen -f -- \"$current\")", "            return ;;",
        ]
        let own = commands.flatMap { command in
            command.flags.compactMap { flag -> String? in
                let pattern = "        '\(command.name) \(flag.name)')"
                switch flag.value {
                case .none: return nil
                case .text: return "\(pattern) return ;;"
                case .file:
                    return
                        "\(pattern) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return ;;"
                case .words(let all): return "\(pattern) words='\(words(all))' ;;"
                }
            }
        }
        return files + own
    }

    // MARK: zsh

    private static func zsh(_ commands: [CommandSyntax]) -> String {
        """
        #compdef lkpush
        # zsh completion of lkpush, printed by: lkpush completion zsh
        _lkpush() {
            local context state state_descr line
            typeset -A opt_args
            _arguments -C \(CommandFlag.common.flatMap(zshFlag).joined(separator: " ")) \
                '1:command:->command' '*::argument:->argument' && return
            case $state in
                command)
                    local -a commands=(
        \(commands.map { "                \(quoted("\($0.name):\($0.summary.replacing(":", with: "\\:"))"))" }
            .joined(separator: "\n"))
                    )
                    _describe -t commands command commands ;;
                argument)
                    case $line[1] in
        \(commands.map(zshCase).joined(separator: "\n"))
                    esac ;;
            esac
        }
        if [[ $funcstack[1] == _lkpush ]]; then
            _lkpush "$@"
        else
            compdef _lkpush lkpush
        fi

        """
    }

    private static func zshCase(_ command: CommandSyntax) -> String {
        var specifications = command.allFlags.flatMap(zshFlag)
        if let argument = command.argument {
            // Any text has an empty list. A message instead would keep zsh from inserting a flag.
            let words = "(\(argument.words.joined(separator: " ")))"
            specifications.append(quoted("1:\(argument.name):\(words)"))
        }
        return "                \(command.name)) _arguments \(specifications.joined(separator: " ")) ;;"
    }

    private static func zshFlag(_ flag: CommandFlag) -> [String] {
        let help = flag.help.flatMap { "[]:\\".contains($0) ? "\\\($0)" : "\($0)" }
        let text = "[\(String(help))]"
        let value: String
        switch flag.value {
        case .none: return ([flag.name] + (flag.letter.map { [$0] } ?? [])).map { quoted($0 + text) }
        case .text(let letters): value = ":\(letters): "
        case .file(let letters): value = ":\(letters):_files"
        case .words(let words): value = ":\(flag.name.dropFirst(2)):(\(words.joined(separator: " ")))"
        }
        // `*` lets a flag be given again, `=` takes both forms of its value.
        return [quoted("*\(flag.name)=\(text)\(value)")]
    }

    // MARK: Words

    private static func spellings(_ flags: [CommandFlag]) -> [String] {
        flags.flatMap { [$0.name] + ($0.letter.map { [$0] } ?? []) }
    }

    private static func words(_ words: [String]) -> String { words.joined(separator: " ") }

    /// The text between apostrophes, as shells read it.
    private static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "'\\''"))'" }
}
