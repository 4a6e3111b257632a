# gcc and g++: preprocess, assemble, link, static and shared libraries, run what was built; gdb's and strace's refusal is elsewhere.
set -e
exec 2>&1
mkdir -p /tmp/build && cd /tmp/build
gcc -O2 -Wall -pthread -o threaded /t/threaded.c
./threaded
gcc -static -O1 -pthread -o threaded.static /t/threaded.c && ./threaded.static | tail -n 2
g++ -std=c++20 -O1 -pthread -o cplusplus /t/cplusplus.cc
./cplusplus
cat >lib.c <<'END'
int twice(int x) { return 2 * x; }
END
cat >use.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int twice(int);
int main(void) { void *l = dlopen("./libtwice.so", RTLD_NOW); int (*f)(int) = l ? (int (*)(int))dlsym(l, "twice") : 0; printf("%d %d\n", twice(4), f ? f(5) : -1); return 0; }
END
gcc -shared -fPIC -o libtwice.so lib.c && gcc -o use use.c -L. -ltwice && LD_LIBRARY_PATH=. ./use
gcc -c lib.c && ar rcs libt.a lib.o && nm libt.a | tail -n 1 && gcc -o use2 use.c libt.a && ./use2 && strip use2 && ./use2
echo 'int main(void) { return undefined_thing(); }' | gcc -x c - -o bad || echo "status $?"
gcc -E -dM -x c /dev/null | grep -c __x86_64__; gcc -S -O2 -o - lib.c | grep -c lea; objdump -d lib.o | grep -c ret; readelf -h use | grep Type; file use | cut -d, -f1-3; ldd use | sed 's/ (0x.*//' | grep -v vdso | sort; size lib.o | wc -l; pipe=$(echo 'int x;' | gcc -pipe -x c -c - -o x.o && echo piped); echo "$pipe"; as --version | head -n 1
