# make -j2 of a made-up program of forty files with generated headers, a recursive make, errors and the job server.
exec 2>&1
mkdir -p /tmp/make/sub && cd /tmp/make
for n in $(seq 1 20); do
    printf '#include "gen.h"\nint f%d(int x) { return x + %d + OFFSET; }\n' "$n" "$n" >"f$n.c"
done
{ for n in $(seq 1 20); do echo "int f$n(int);"; done; echo '#include <stdio.h>'; echo 'int main(void) { int x = 0;'; for n in $(seq 1 20); do echo "x = f$n(x);"; done; echo 'printf("%d\n", x); return 0; }'; } >main.c
cat >Makefile <<'END'
OBJECTS := $(patsubst %.c,%.o,$(wildcard *.c))
all: program sub
program: $(OBJECTS) ; @gcc -o $@ $^ && echo linked
%.o: %.c gen.h ; @gcc -O0 -c -o $@ $<
gen.h: ; @sleep 0.1; echo '#define OFFSET 1' >$@; echo generated
sub: program ; @$(MAKE) --no-print-directory -C sub
broken: ; @echo going to fail; false
many: $(addprefix n,1 2 3 4 5 6 7 8) ; @ls n[1-8] | wc -l
n%: ; @sleep 0.05; touch $@
clean: ; rm -f *.o program
.PHONY: all sub clean many broken
END
cat >sub/Makefile <<'END'
all: a b ; @cat a b
a b: ; @echo made $@ | tee $@ >/dev/null
END
make -j2; ./program; make -j2 | sort; touch f3.c; make -j2 --output-sync | sort; make -j8 many; make broken; echo $?; make -k broken nothing; echo $?; make -n clean; make -q program; echo $?; make clean | wc -c; make -j4 -s program; ./program; make -p -f /dev/null 2>/dev/null | wc -l | awk '{print ($1 > 100)}'; timeout 0.2 make -f - <<<'all: ; @sleep 5' 2>/dev/null; echo $?; echo 'all: ; @echo $(shell echo from shell) $(words $(wildcard *.c))' | make -f -
