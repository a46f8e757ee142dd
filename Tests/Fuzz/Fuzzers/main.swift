import Glibc

exit(Fuzzers.main())
