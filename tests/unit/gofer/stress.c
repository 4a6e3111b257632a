/*
 * Several threads do everything at once on one gofer's files through the vfs, on a few names that
 * they share. Nothing is expected of a single operation; at the end the tree must be what the host
 * has, and all objects gone. A program of its own, so that it also runs under ThreadSanitizer.
 */
#include "cmd/gofer/gofer.h"
#include "fs/gofer/gofer.h"
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"
#include "sentry/base/host_mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, NAMES = 6 };

static struct walk_ctx ctx;
static char dir[] = "/tmp/gofer-stress.XXXXXX";
static int rounds = 4000;

#define check(cond)                                                    \
    do {                                                               \
        if (!(cond)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
            abort();                                                   \
        }                                                              \
    } while (0)

static const char *name(u32 *seed, char buf[32])
{
    static const char *const dirs[] = {"", "/d0", "/d1", "/d0/e"};

    snprintf(buf, 32, "%s/n%d", dirs[rand_r(seed) % 4], rand_r(seed) % NAMES);
    return buf;
}

static bool emit(struct dir_emit *e, const char *n, u32 len, u64 ino, u32 type, s64 next_pos)
{
    return true;
}

static void use(u32 *seed, const char *n, u32 flags)
{
    struct dir_emit e = {.emit = emit};
    char buf[300] = "text";
    struct uio_vec vec;
    struct attr attr;
    struct file *f;
    struct uio u;

    if (vfs_open(&ctx, NULL, n, flags, 0644, WALK_FOLLOW, &f) < 0)
        return;
    uio_kernel(&u, &vec, buf, (size_t)rand_r(seed) % sizeof(buf));
    file_write(f, &u, NULL);
    file_seek(f, 0, LX_SEEK_SET);
    uio_kernel(&u, &vec, buf, sizeof(buf));
    file_read(f, &u, NULL);
    file_readdir(f, &e);
    if (f->ops->map_fd)
        f->ops->map_fd(f, false, false);
    vfs_getattr(&f->path, &attr);
    if (rand_r(seed) % 4 == 0)
        file_truncate(f, (u64)rand_r(seed) % 1000);
    file_put(f);
}

static void change(u32 *seed, const char *n)
{
    struct setattr s = {.valid = SET_MODE, .mode = 0600 | (rand_r(seed) & 077)};
    struct attr attr;
    char other[32];
    struct path p;

    if (walk(&ctx, NULL, n, 0, &p) < 0)
        return;
    vfs_getattr(&p, &attr);
    if (rand_r(seed) % 2)
        vfs_setattr(&p, ctx.cred, &s);
    else if (!LX_S_ISDIR(attr.mode))
        vfs_link(&ctx, &p, NULL, name(seed, other));
    path_put(&p);
}

static void *work(void *arg)
{
    u32 seed = (u32)(uintptr_t)arg;
    char a[32], b[32];

    for (int i = 0; i < rounds; i++) {
        name(&seed, a);
        switch (rand_r(&seed) % 10) {
        case 0: vfs_mkdir(&ctx, NULL, a, 0755); break;
        case 1: vfs_unlink(&ctx, NULL, a, false); break;
        case 2: vfs_unlink(&ctx, NULL, a, true); break;
        case 3: vfs_rename(&ctx, NULL, a, NULL, name(&seed, b), rand_r(&seed) % 3); break;
        case 4: vfs_symlink(&ctx, "/n1", NULL, a); break;
        case 5: change(&seed, a); break;
        case 6: use(&seed, "/d0", LX_O_RDONLY | LX_O_DIRECTORY); break;
        case 7: use(&seed, a, LX_O_RDWR | LX_O_APPEND); break;
        default: use(&seed, a, LX_O_CREAT | LX_O_RDWR); break;
        }
    }
    return NULL;
}

static pid_t start_gofer(int shm, int sock, int other)
{
    static struct gofer g;
    struct gofer_mount_point m = {.index = PROTO_MOUNT_ROOT};
    pid_t pid;

    fflush(NULL); /* what is buffered is the parent's to print */
    pid = fork();
    if (pid)
        return pid;
    close(other);
    umask(0);
    m.dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    _exit(gofer_init(&g, shm, sock, 64) < 0 || gofer_add_mount(&g, &m) < 0 || gofer_run(&g) < 0);
}

/* compare_one() - nftw: what the host has, the Sentry sees likewise. */
static int compare_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    const char *inside = path + strlen(dir);
    struct attr attr;
    struct path p;

    check(walk(&ctx, NULL, *inside ? inside : "/", 0, &p) == 0);
    check(vfs_getattr(&p, &attr) == 0);
    check(attr.mode == st->st_mode && attr.size == (u64)st->st_size);
    check(attr.nlink == st->st_nlink && attr.ino == st->st_ino);
    path_put(&p);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static void mount_root(struct gofer_conn *conn, bool exclusive)
{
    struct gofer_mount data = {.conn = conn, .index = PROTO_MOUNT_ROOT, .exclusive = exclusive};
    struct fs_mount_args args = {.data = &data};
    struct user_ns *user_ns = user_ns_first();
    struct mount_ns *ns;
    struct super *sb;

    ctx.cred = cred_root(user_ns);
    args.cred = ctx.cred;
    check(gofer_fs_type.mount(&gofer_fs_type, &args, &sb) == 0);
    check(mount_ns_new(user_ns, sb, 0, "root", &ns) == 0);
    user_ns_put(user_ns);
    ctx.ns = ns;
    ctx.root = (struct path){mount_get(ns->root), dentry_get(ns->root->root)};
    ctx.cwd = path_get(&ctx.root);
    vfs_mkdir(&ctx, NULL, "/d0", 0755);
    vfs_mkdir(&ctx, NULL, "/d0/e", 0755);
    vfs_mkdir(&ctx, NULL, "/d1", 0755);
}

static void run(bool exclusive)
{
    struct gofer_conn *conn;
    pthread_t th[THREADS];
    int sock[2], shm = host_memfd("channel", CHANNEL_BYTES), status = -1;
    pid_t pid;

    check(shm >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) == 0);
    pid = start_gofer(shm, sock[1], sock[0]);
    close(sock[1]);
    check(gofer_conn_new(shm, sock[0], &conn) == 0);
    close(shm);
    mount_root(conn, exclusive);
    for (u32 i = 0; i < THREADS; i++)
        check(pthread_create(&th[i], NULL, work, (void *)(uintptr_t)(i + 1)) == 0);
    for (u32 i = 0; i < THREADS; i++)
        pthread_join(th[i], NULL);
    nftw(dir, compare_one, 16, FTW_PHYS);
    path_put(&ctx.root);
    path_put(&ctx.cwd);
    mount_ns_put(ctx.ns);
    cred_put((struct cred *)ctx.cred);
    for (struct obj_type *t = obj_types(); t; t = t->next)
        check(t->live == 0);
    gofer_conn_free(conn);
    check(waitpid(pid, &status, 0) == pid && status == 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        rounds = (int)strtol(argv[1], NULL, 0);
    check(mkdtemp(dir));
    puts("1..2");
    run(true);
    puts("ok 1 - exclusive");
    run(false);
    puts("ok 2 - shared");
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
