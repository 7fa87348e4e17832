# What no poll but the first has to ask.
s once; grep -s '' /dev/null /etc/os-release
grep -s -m 1 '^model name' /dev/null /proc/cpuinfo
