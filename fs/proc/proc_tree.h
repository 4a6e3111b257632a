/*
 * Trees of small generated files, for /proc and /sys: tables of entries, and nodes: an entry seen for
 * one process, or for none.
 */
#pragma once

#include "fs/proc/proc.h"

struct pid;
struct pid_ns;
struct proc_entry;
struct proc_node;

/* Text under construction; it grows as needed. A failed allocation is remembered. */
struct proc_text {
    char *buf;
    size_t len, cap;
    bool failed;
};

/* proc_printf(), proc_puts(), proc_put_bytes() - append; nothing once an allocation has failed. */
void proc_printf(struct proc_text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void proc_puts(struct proc_text *t, const char *s);
void proc_put_bytes(struct proc_text *t, const void *p, size_t len);
/* proc_put_escaped() - a name or path, with the characters of `escape` in octal. */
void proc_put_escaped(struct proc_text *t, const char *s, const char *escape);

/* proc_put_cpu_mask(), proc_put_cpu_list() - a set of CPUs below `cpus`, a bit each, and a newline:
 * in hexadecimal words ("1f,ffffffff"), as ranges ("0-3,7"). */
void proc_put_cpu_mask(struct proc_text *t, const u64 *bits, u32 cpus);
void proc_put_cpu_list(struct proc_text *t, const u64 *bits, u32 cpus);

/* proc_parse_u64(), proc_parse_s32() - a number that was written, with at most a newline behind it;
 * base 0: as C writes it. Return: 0, -EINVAL, -ERANGE. */
int proc_parse_u64(const char *text, int base, u64 *out);
int proc_parse_s32(const char *text, s32 *out);
/* proc_parse_numbers() - up to n, at least one, in decimal, white space between; what is not given stays.
 * Return: 0, -EINVAL. */
int proc_parse_numbers(const char *text, u64 *values, u32 n);

/* Names that no table holds: processes, threads, descriptors. */
struct proc_dynamic {
    /* find() - what `name` is in dir: fill in entry, pid (a new reference), thread, nr.
     * Return: 0, -ENOENT. */
    int (*find)(const struct proc_node *dir, const char *name, u32 len, struct proc_node *out);
    /* next() - the lowest number ≥ from, or -1. */
    s32 (*next)(const struct proc_node *dir, s32 from);
    /* alive() - does it still exist? Asked at each use of a cached name. */
    bool (*alive)(const struct proc_node *n);
    const char *prefix; /* of the names, before the number; NULL: none */
    u32 type;           /* LX_DT_* of what next() names */
};

enum {
    PROC_INSPECT = 1u << 0, /* only for who may look into the process (ptrace(2)'s read access), at
                             * each use */
    PROC_SYSCTL = 1u << 1,  /* what the mode forbids, CAP_DAC_OVERRIDE doesn't allow */
    PROC_SYSCTL_NET = 1u << 3, /* the mode's part for the owner is for who administers the network */
    PROC_MEMORY = 1u << 2,  /* about the memory that the process has when it is opened, by who may
                             * look into it then; empty after an exec */
};

/* An entry says what it is by which of these it has; the mode's type must agree. */
struct proc_entry {
    const char *name;
    u32 mode;
    u32 flags; /* PROC_* */
    /* show() - a file's text. Return: 0, or what read(2) answers. */
    int (*show)(const struct proc_node *n, struct proc_text *out);
    /* store() - a write of `len` bytes, a NUL behind them, into a file that `opener` opened: who writes
     * may be another, who was made to. Return: 0, errno. */
    int (*store)(const struct proc_node *n, const struct cred *opener, const char *text,
                 size_t len);
    /* ops - a file that is no text has operations of its own; its node is f->inode's. With
     * PROC_MEMORY f->private is the memory's id (proc_mm_id()). */
    const struct file_ops *ops;
    ssize_t (*readlink)(const struct proc_node *n, char *buf, size_t cap);
    /* follow() - where a link really leads: new references. */
    int (*follow)(const struct proc_node *n, struct path *out);
    const struct proc_entry *children; /* a directory's fixed names; ends with a NULL name */
    const struct proc_dynamic *dynamic;
};

struct proc_node {
    const struct proc_entry *entry;
    const struct proc_dynamic *found_by; /* NULL: a table */
    struct pid_ns *ns;                   /* borrowed: the super's */
    struct pid *pid;                     /* a reference; NULL: not about a process */
    bool thread;                         /* about the thread `pid`, not the process */
    s32 nr;                              /* of a descriptor */
};

static inline const struct proc_node *proc_node_of(const struct inode *ino)
{
    return ino->private;
}

/* proc_show_node_meminfo() - the text of a memory node's meminfo (/sys). */
int proc_show_node_meminfo(const struct proc_node *n, struct proc_text *out);

/* proc_inode() - an inode for the node; its pid reference is taken. NULL: out of memory. */
struct inode *proc_inode(struct super *sb, const struct proc_node *n);

/* Inode operations that all kinds of entries share; those of files (proc_file.c). */
int proc_node_revalidate(struct dentry *d);
int proc_node_getattr(struct inode *ino, struct attr *out);
int proc_node_setattr(struct inode *ino, const struct setattr *s);
void proc_node_free(struct inode *ino);
extern const struct inode_ops proc_file_ops;

/* proc_mount_tree() - a super of `type` that shows the tree under `root`. `ns` (may be NULL): what
 * numbers processes in it; a new reference is taken. */
int proc_mount_tree(const struct fs_type *type, const struct fs_mount_args *args, u64 magic,
                    const struct proc_entry *root, struct pid_ns *ns, struct super **out);
