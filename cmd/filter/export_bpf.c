/*
 * Build-time tool: makes a BPF program of one process's rules (export_bpf.h) with libseccomp and prints it as a C header:
 * `static const struct sock_filter <process>_filter[]`. Whatever no rule allows kills the process.
 */
#include "cmd/filter/export_bpf.h"

#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The kernel refuses longer programs. */
#define PROGRAM_MAX BPF_MAXINSNS

static int add_rule(scmp_filter_ctx ctx, const struct filter_rule *rule)
{
    struct scmp_arg_cmp cmp[6];
    int nr = seccomp_syscall_resolve_name(rule->call);

    if (nr < 0) {
        fprintf(stderr, "%s: this architecture has no system call '%s'\n", filter_name, rule->call);
        return -1;
    }
    for (unsigned i = 0; i < rule->condition_count; i++) {
        const struct filter_condition *c = &rule->conditions[i];

        cmp[i] = SCMP_CMP64(c->arg, SCMP_CMP_MASKED_EQ, c->mask, c->value);
    }
    int r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, rule->condition_count, cmp);
    if (r < 0)
        fprintf(stderr, "%s: rule for '%s': %s\n", filter_name, rule->call, strerror(-r));
    return r;
}

/* build() - all rules into a context. Return: the context, or NULL having said why. */
static scmp_filter_ctx build(void)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (!ctx || seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0 ||
        seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0) {
        fprintf(stderr, "%s: libseccomp cannot make a filter\n", filter_name);
        return NULL;
    }
    for (unsigned i = 0; i < filter_rule_count; i++) {
        if (add_rule(ctx, &filter_rules[i]) < 0)
            return NULL;
    }
    return ctx;
}

static void print_header(FILE *program)
{
    struct sock_filter insn;
    unsigned count = 0;

    printf("/* Made by cmd/filter/export_bpf.c. Include <linux/filter.h> first. */\n"
           "static const struct sock_filter %s_filter[] = {\n",
           filter_name);
    while (count < PROGRAM_MAX && fread(&insn, sizeof insn, 1, program) == 1) {
        printf("    {0x%04x, %u, %u, 0x%08x},\n", insn.code, insn.jt, insn.jf, insn.k);
        count++;
    }
    printf("};\nstatic const unsigned short %s_filter_len = %u;\n", filter_name, count);
}

int main(void)
{
    scmp_filter_ctx ctx = build();
    FILE *program = tmpfile();

    if (!ctx || !program)
        return 1;
    int r = seccomp_export_bpf(ctx, fileno(program));
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", filter_name, strerror(-r));
        return 1;
    }
    rewind(program);
    print_header(program);
    seccomp_release(ctx);
    fclose(program);
    return 0;
}
