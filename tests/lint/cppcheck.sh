#!/usr/bin/env bash
# cppcheck.sh: a second opinion, independent of the compilers. Leaks are left to make check-asan: cppcheck follows neither
# cleanup attributes nor ownership handed over. GLib's assertions are never compiled out, and the callers of getpwnam() have
# one thread.
. tests/lint/lib

files | grep '\.c$' | cppcheck --file-list=- -j "$JOBS" --quiet --std=c11 --library=gnu,posix,gtk \
    --enable=warning,performance,portability --inline-suppr \
    --suppress=memleak --suppress=doubleFree --suppress=assertWithSideEffect \
    --suppress=getpwnamCalled --suppress=getpwuidCalled \
    --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unknownMacro \
    -I. -I"$BUILD/gen" --template='{file}:{line}: {id}: {message}' 2>&1 | report "cppcheck finds nothing"
finish
