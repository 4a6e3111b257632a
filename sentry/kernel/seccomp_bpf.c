/*
 * Checking and running filters; see seccomp_bpf.h. The rules are those of the kernel's documentation
 * of BPF (networking/filter) with what seccomp_filter adds: only 32-bit loads of struct seccomp_data
 * in the machine's byte order, no packet accesses, no modulo.
 */
#include "sentry/kernel/seccomp_bpf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALU(op) LX_BPF_ALU | (op) | LX_BPF_K : case LX_BPF_ALU | (op) | LX_BPF_X
#define JMP(op) LX_BPF_JMP | (op) | LX_BPF_K : case LX_BPF_JMP | (op) | LX_BPF_X

/* check_insn() - one instruction by itself, the `at`th of n. */
static int check_insn(const struct lx_sock_filter *i, u32 at, u32 n)
{
    switch (i->code) {
    case LX_BPF_LD | LX_BPF_W | LX_BPF_ABS:
        return i->k >= sizeof(struct lx_seccomp_data) || (i->k & 3) ? -EINVAL : 0;
    case LX_BPF_LD | LX_BPF_MEM:
    case LX_BPF_LDX | LX_BPF_MEM:
    case LX_BPF_ST:
    case LX_BPF_STX: return i->k >= LX_BPF_MEMWORDS ? -EINVAL : 0;
    case LX_BPF_ALU | LX_BPF_DIV | LX_BPF_K: return i->k ? 0 : -EINVAL;
    case LX_BPF_ALU | LX_BPF_LSH | LX_BPF_K:
    case LX_BPF_ALU | LX_BPF_RSH | LX_BPF_K: return i->k >= 32 ? -EINVAL : 0;
    case LX_BPF_JMP | LX_BPF_JA: return i->k >= n - at - 1 ? -EINVAL : 0;
    case JMP(LX_BPF_JEQ):
    case JMP(LX_BPF_JGT):
    case JMP(LX_BPF_JGE):
    case JMP(LX_BPF_JSET): return at + i->jt + 1u >= n || at + i->jf + 1u >= n ? -EINVAL : 0;
    case LX_BPF_LD | LX_BPF_IMM:
    case LX_BPF_LDX | LX_BPF_IMM:
    case LX_BPF_LD | LX_BPF_W | LX_BPF_LEN:
    case LX_BPF_LDX | LX_BPF_W | LX_BPF_LEN:
    case ALU(LX_BPF_ADD):
    case ALU(LX_BPF_SUB):
    case ALU(LX_BPF_MUL):
    case ALU(LX_BPF_AND):
    case ALU(LX_BPF_OR):
    case ALU(LX_BPF_XOR):
    case LX_BPF_ALU | LX_BPF_DIV | LX_BPF_X:
    case LX_BPF_ALU | LX_BPF_LSH | LX_BPF_X:
    case LX_BPF_ALU | LX_BPF_RSH | LX_BPF_X:
    case LX_BPF_ALU | LX_BPF_NEG:
    case LX_BPF_RET | LX_BPF_K:
    case LX_BPF_RET | LX_BPF_A:
    case LX_BPF_MISC | LX_BPF_TAX:
    case LX_BPF_MISC | LX_BPF_TXA: return 0;
    default: return -EINVAL;
    }
}

/* check_memory_at() - scratch words of one instruction. `valid` are those that are written on every
 * way to it; masks[] collects the same for jump targets. Return: 0, -EINVAL. */
static int check_memory_at(const struct lx_sock_filter *i, u32 at, u16 *masks, u16 *valid)
{
    *valid &= masks[at];
    switch (i->code) {
    case LX_BPF_ST:
    case LX_BPF_STX: *valid |= (u16)(1u << i->k); return 0;
    case LX_BPF_LD | LX_BPF_MEM:
    case LX_BPF_LDX | LX_BPF_MEM: return *valid & (1u << i->k) ? 0 : -EINVAL;
    case LX_BPF_JMP | LX_BPF_JA:
        masks[at + 1 + i->k] &= *valid;
        *valid = 0xffff;
        return 0;
    case JMP(LX_BPF_JEQ):
    case JMP(LX_BPF_JGT):
    case JMP(LX_BPF_JGE):
    case JMP(LX_BPF_JSET):
        masks[at + 1 + i->jt] &= *valid;
        masks[at + 1 + i->jf] &= *valid;
        *valid = 0xffff;
        return 0;
    default: return 0;
    }
}

static int check_memory(const struct lx_sock_filter *insns, u32 n)
{
    u16 *masks = malloc(n * sizeof(*masks)), valid = 0;
    int err = 0;

    if (!masks)
        return -ENOMEM;
    memset(masks, 0xff, n * sizeof(*masks));
    for (u32 at = 0; at < n && !err; at++)
        err = check_memory_at(&insns[at], at, masks, &valid);
    free(masks);
    return err;
}

int seccomp_bpf_check(const struct lx_sock_filter *insns, u32 n)
{
    for (u32 at = 0; at < n; at++)
        if (check_insn(&insns[at], at, n) < 0)
            return -EINVAL;
    if (!n || (insns[n - 1].code & 7) != LX_BPF_RET)
        return -EINVAL;
    return check_memory(insns, n);
}

/* alu() - Return: false: a division by zero, which ends the program with 0. */
static bool alu(u16 code, u32 *a, u32 operand)
{
    switch (code & 0xf0) {
    case LX_BPF_ADD: *a += operand; break;
    case LX_BPF_SUB: *a -= operand; break;
    case LX_BPF_MUL: *a *= operand; break;
    case LX_BPF_DIV:
        if (!operand)
            return false;
        *a /= operand;
        break;
    case LX_BPF_OR: *a |= operand; break;
    case LX_BPF_AND: *a &= operand; break;
    case LX_BPF_LSH: *a <<= operand & 31; break;
    case LX_BPF_RSH: *a >>= operand & 31; break;
    case LX_BPF_NEG: *a = -*a; break;
    case LX_BPF_XOR: *a ^= operand; break;
    }
    return true;
}

static bool jumps(u16 code, u32 a, u32 operand)
{
    switch (code & 0xf0) {
    case LX_BPF_JEQ: return a == operand;
    case LX_BPF_JGT: return a > operand;
    case LX_BPF_JGE: return a >= operand;
    default: return a & operand;
    }
}

u32 seccomp_bpf_run(const struct lx_sock_filter *insns, const struct lx_seccomp_data *data)
{
    u32 a = 0, x = 0, mem[LX_BPF_MEMWORDS] = {0};

    for (const struct lx_sock_filter *i = insns;; i++) {
        u32 operand = i->code & LX_BPF_X ? x : i->k;

        switch (i->code) {
        case LX_BPF_LD | LX_BPF_W | LX_BPF_ABS:
            memcpy(&a, (const char *)data + i->k, sizeof(a));
            break;
        case LX_BPF_LD | LX_BPF_W | LX_BPF_LEN: a = sizeof(*data); break;
        case LX_BPF_LDX | LX_BPF_W | LX_BPF_LEN: x = sizeof(*data); break;
        case LX_BPF_LD | LX_BPF_IMM: a = i->k; break;
        case LX_BPF_LDX | LX_BPF_IMM: x = i->k; break;
        case LX_BPF_LD | LX_BPF_MEM: a = mem[i->k]; break;
        case LX_BPF_LDX | LX_BPF_MEM: x = mem[i->k]; break;
        case LX_BPF_ST: mem[i->k] = a; break;
        case LX_BPF_STX: mem[i->k] = x; break;
        case LX_BPF_RET | LX_BPF_K: return i->k;
        case LX_BPF_RET | LX_BPF_A: return a;
        case LX_BPF_MISC | LX_BPF_TAX: x = a; break;
        case LX_BPF_MISC | LX_BPF_TXA: a = x; break;
        case LX_BPF_JMP | LX_BPF_JA: i += i->k; break;
        default:
            if ((i->code & 7) == LX_BPF_JMP)
                i += jumps(i->code, a, operand) ? i->jt : i->jf;
            else if (!alu(i->code, &a, operand))
                return 0;
            break;
        }
    }
}
