/*
 * The stub: all code that a guest process keeps of ours. Position: STUB_BASE, mapped r-x, never
 * writable. It uses no stack and no memory but what an operation names.
 *
 * Invariants
 *  - Guest code may jump anywhere in here with any registers. Nothing here does more than the guest
 *    filter (guest_filter.h) allows from any address; the filter is the boundary, not this code.
 *  - Each ordered sequence ends in int3, at which the tracing Sentry thread takes the task back. A
 *    task that gets there by itself has executed an int3 of its own: a SIGTRAP like any other.
 *  - A new child touches nothing before its check-in, during which the Sentry thread that will
 *    serve it attaches.
 */
#include "platform/stub/stub.h"

    .section .text.start, "ax"
    .globl _start
_start:
    mov %rsp, %rdi
    xor %ebp, %ebp
    and $-16, %rsp
    call zygote_main
    /* From here on there is no stack: all memory but text, command line and vdso goes. */
    xor %edi, %edi
    mov $STUB_BASE, %rsi
    call_munmap = 11
    mov $call_munmap, %eax
    syscall
    movabs $stub_text_end, %rdi
    mov $STUB_CMDLINE, %rsi
    sub %rdi, %rsi
    mov $call_munmap, %eax
    syscall
    mov $(STUB_SCRATCH + STUB_SCRATCH_BYTES), %rdi
    mov $(STUB_VDSO_STASH - STUB_SCRATCH - STUB_SCRATCH_BYTES), %rsi
    mov $call_munmap, %eax
    syscall
    mov $STUB_VDSO_STASH_END, %rdi
    mov $(STUB_TOP - STUB_VDSO_STASH_END), %rsi
    mov $call_munmap, %eax
    syscall
    /* seccomp(SECCOMP_SET_MODE_FILTER, SPEC_ALLOW | NEW_LISTENER | WAIT_KILLABLE_RECV, filter):
     * the listener is descriptor 0; the Sentry fetches it while close(0), which the filter makes
     * a notification, waits for its answer. */
    mov $317, %eax
    mov $1, %edi
    mov $44, %esi
    movabs $guest_filter_program, %rdx
    syscall
    test %rax, %rax
    jnz 2f
    xor %edi, %edi
    xor %esi, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    xor %r9d, %r9d
    mov $3, %eax
    syscall
    xor %esp, %esp
    jmp stub_zygote_loop
2:  ud2

    .section .text, "ax"

/* --- the zygote's loop: check in, fork when told to --- */
    .globl stub_zygote_loop
stub_zygote_loop:
    xor %r12d, %r12d
1:  mov $STUB_NR_CHECKIN, %eax
    mov $STUB_ROLE_ZYGOTE, %edi
    mov %r12, %rsi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    xor %r9d, %r9d
    syscall
    cmp $STUB_COMMAND_FORK, %rax
    jne 1b
    mov $56, %eax             /* clone */
    mov $STUB_FORK_FLAGS, %edi
    xor %esi, %esi
    syscall
    test %rax, %rax
    jz stub_child
    mov %rax, %r12
    jmp 1b

/* --- a new process or thread: wait for the Sentry thread that will serve it --- */
    .globl stub_child
stub_child:
    mov $STUB_NR_CHECKIN, %eax
    mov $STUB_ROLE_CHILD, %edi
    xor %esi, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    xor %r9d, %r9d
    syscall
1:  int3                      /* never run: the tracer has replaced the registers */
    jmp 1b

/* --- ordered calls: registers are set by the tracer --- */
    .globl stub_order, stub_order_end
stub_order:
    syscall
    int3
stub_order_end:
    /* a mapping of the donated descriptor, which is gone afterwards */
    .globl stub_order_donated, stub_order_donated_end
stub_order_donated:
    syscall
    mov %rax, %r12
    mov $3, %eax
    mov $STUB_DONATED_FD, %edi
    syscall
    mov %r12, %rax
    int3
stub_order_donated_end:
    .globl stub_order_clone, stub_order_clone_end
stub_order_clone:
    syscall
    test %rax, %rax
    jz stub_child
    int3
stub_order_clone_end:

/* --- atomic operations: rdi = address, esi = operand, eax = expected and old value --- */
    .globl stub_atomic_xchg, stub_atomic_add, stub_atomic_or, stub_atomic_andn, stub_atomic_xor
    .globl stub_atomic_cmpxchg, stub_atomic_end
stub_atomic_xchg:
    mov %esi, %eax
    xchg %eax, (%rdi)
    int3
stub_atomic_add:
    mov %esi, %eax
    lock xadd %eax, (%rdi)
    int3
stub_atomic_or:
    mov (%rdi), %eax
1:  mov %eax, %edx
    or %esi, %edx
    lock cmpxchg %edx, (%rdi)
    jne 1b
    int3
stub_atomic_andn:
    not %esi
    mov (%rdi), %eax
1:  mov %eax, %edx
    and %esi, %edx
    lock cmpxchg %edx, (%rdi)
    jne 1b
    int3
stub_atomic_xor:
    mov (%rdi), %eax
1:  mov %eax, %edx
    xor %esi, %edx
    lock cmpxchg %edx, (%rdi)
    jne 1b
    int3
stub_atomic_cmpxchg:
    lock cmpxchg %esi, (%rdi)
    int3
stub_atomic_end:

    .section .note.GNU-stack, "", @progbits
