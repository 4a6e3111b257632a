/*
 * A small x86-64 decoder: does an instruction that faulted write to memory or read it? It knows the
 * opcodes whose memory operand is a destination (Intel SDM volume 2, opcode maps); an instruction
 * that reads and writes the same operand faults as a write. Guest bytes are only looked at, never
 * trusted: the answer goes into that guest's own signal frame.
 */
#include "platform/x86_64/insn.h"

/* Where decoding stands. */
struct insn {
    const u8 *p, *end;
    u8 op, modrm;
    u32 map;      /* 1: one-byte opcodes, 2: 0F, 3: 0F 38, 4: 0F 3A */
    bool opsize, rep; /* prefixes 66, F3 */
};

static bool take(struct insn *i, u8 *out)
{
    if (i->p == i->end)
        return false;
    *out = *i->p++;
    return true;
}

static bool legacy_prefix(u8 b)
{
    return b == 0x66 || b == 0x67 || b == 0xf2 || b == 0xf3 || b == 0x2e || b == 0x36 ||
           b == 0x3e || b == 0x26 || b == 0x64 || b == 0x65 || b == 0xf0;
}

/* take_vex() - the rest of a VEX prefix. */
static bool take_vex(struct insn *i, u8 first)
{
    u8 b;

    i->map = 2;
    if (!take(i, &b))
        return false;
    if (first == 0xc4) {
        i->map = (b & 31) + 1u;
        if (!take(i, &b))
            return false;
    }
    i->opsize = (b & 3) == 1;
    i->rep = (b & 3) == 2;
    return take(i, &i->op);
}

/* decode() - prefixes, opcode and what stands where a ModRM byte would. */
static bool decode(struct insn *i)
{
    u8 b;

    i->map = 1;
    do {
        if (!take(i, &b))
            return false;
        i->opsize |= b == 0x66;
        i->rep |= b == 0xf3;
    } while (legacy_prefix(b));
    if ((b & 0xf0) == 0x40 && !take(i, &b))
        return false;
    i->op = b;
    if (b == 0xc4 || b == 0xc5) {
        if (!take_vex(i, b))
            return false;
    } else if (b == 0x0f) {
        i->map = 2;
        if (!take(i, &i->op))
            return false;
        if (i->op == 0x38 || i->op == 0x3a) {
            i->map = i->op == 0x38 ? 3 : 4;
            if (!take(i, &i->op))
                return false;
        }
    }
    if (i->p < i->end)
        i->modrm = *i->p;
    return true;
}

static bool in_set(const u8 set[32], u8 op)
{
    return set[op >> 3] & (1u << (op & 7));
}

/* x87 stores: of D8-DF the /reg numbers that write, as bits. */
static const u8 x87_stores[8] = {0x00, 0xcc, 0x00, 0x8e, 0x00, 0xce, 0x00, 0xce};

static bool writes_one_byte(const struct insn *i, const struct arch_regs *r, u64 addr)
{
    u32 reg = (i->modrm >> 3) & 7;

    if (i->op < 0x40) /* ALU: op r/m, r writes but for CMP */
        return (i->op & 7) < 2 && (i->op & 0x38) != 0x38;
    if (i->op >= 0xd8 && i->op <= 0xdf)
        return x87_stores[i->op - 0xd8] & (1u << reg);
    switch (i->op) {
    case 0x50 ... 0x57: /* push */
    case 0x68:
    case 0x6a:
    case 0x86: /* xchg */
    case 0x87:
    case 0x88: /* mov to memory */
    case 0x89:
    case 0x8c:
    case 0x8f: /* pop to memory */
    case 0x9c: /* pushf */
    case 0xa2: /* mov to moffs */
    case 0xa3:
    case 0xaa: /* stos */
    case 0xab:
    case 0xc0: /* shifts */
    case 0xc1:
    case 0xc6: /* mov immediate */
    case 0xc7:
    case 0xc8: /* enter */
    case 0xd0 ... 0xd3:
    case 0xe8: /* call */
        return true;
    case 0x80: /* ALU immediate but for CMP */
    case 0x81:
    case 0x83:
        return reg != 7;
    case 0xa4: /* movs: from rsi to rdi */
    case 0xa5:
        return addr - r->rdi < 8;
    case 0xf6: /* not, neg */
    case 0xf7:
        return reg == 2 || reg == 3;
    case 0xfe: /* inc, dec */
        return reg < 2;
    case 0xff: /* inc, dec; call and push write to the stack */
        return reg < 2 || ((reg == 2 || reg == 3 || reg == 6) && r->rsp - addr <= 64);
    default:
        return false;
    }
}

static bool writes_two_byte(const struct insn *i)
{
    /* 11 13 17 29 2B 7F 90-9F A4 A5 AB AC AD B0 B1 B3 BB C0 C1 C3 D6 E7 */
    static const u8 stores[32] = {
        [0x11 >> 3] = 0x8a, [0x29 >> 3] = 0x0a, [0x7f >> 3] = 0x80, [0x90 >> 3] = 0xff,
        [0x98 >> 3] = 0xff, [0xa4 >> 3] = 0x30, [0xab >> 3] = 0x38, [0xb0 >> 3] = 0x0b,
        [0xbb >> 3] = 0x08, [0xc0 >> 3] = 0x0b, [0xd6 >> 3] = 0x40, [0xe7 >> 3] = 0x80,
    };
    u32 reg = (i->modrm >> 3) & 7;

    switch (i->op) {
    case 0x7e: /* movd, movq to memory; with F3 from it */
        return !i->rep;
    case 0xae: /* fxsave, stmxcsr, xsave, xsaveopt */
        return reg == 0 || reg == 3 || reg == 4 || reg == 6;
    case 0xba: /* bts, btr, btc immediate */
        return reg >= 5;
    case 0xc7: /* cmpxchg8b, cmpxchg16b, xsavec, xsaves */
        return reg == 1 || reg == 4 || reg == 5;
    default:
        return in_set(stores, i->op);
    }
}

bool insn_writes(const u8 *code, u32 len, const struct arch_regs *r, u64 addr)
{
    struct insn i = {.p = code, .end = code + len};

    if (!decode(&i))
        return false;
    switch (i.map) {
    case 1:
        return writes_one_byte(&i, r, addr);
    case 2:
        return writes_two_byte(&i);
    case 3: /* movbe to memory; vmaskmov, vpmaskmov stores */
        return i.op == 0xf1 || i.op == 0x2e || i.op == 0x2f || i.op == 0x8e;
    case 4: /* pextr*, extractps, vextract* */
        return (i.op >= 0x14 && i.op <= 0x17) || i.op == 0x19 || i.op == 0x39;
    default:
        return false;
    }
}
