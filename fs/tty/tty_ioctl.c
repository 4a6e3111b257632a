/*
 * ioctl(2) of terminals and masters (ioctl_tty(2)). What is asked of a master is, with few exceptions,
 * asked of its terminal.
 */
#include "fs/tty/tty_priv.h"

#include "fs/vfs/file.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/task.h"

#include <errno.h>

enum { N_TTY = 0 };

static s64 put_int(struct mm *mm, u64 arg, s32 value)
{
    return usermem_put(mm, arg, &value);
}

/* --- job control --- */

static s64 set_foreground(struct tty *t, struct mm *mm, u64 arg)
{
    s64 err = ctty_check(&t->ctl, current, LX_SIGTTOU);
    s32 pgid;

    if (err)
        return err == -EIO ? -ENOTTY : err;
    if (usermem_get(mm, &pgid, arg) < 0)
        return -EFAULT;
    return pgid < 0 ? -EINVAL : ctty_set_foreground(&t->ctl, current, pgid);
}

static s64 get_id(struct tty *t, struct mm *mm, u32 cmd, u64 arg, bool far)
{
    s32 id = 0;
    s64 err = cmd == LX_TIOCGSID ? ctty_get_session(&t->ctl, current, far, &id)
                                 : ctty_get_foreground(&t->ctl, current, far, &id);

    return err ? err : put_int(mm, arg, id);
}

static s64 job_control(struct file *f, struct tty *t, struct mm *mm, u32 cmd, u64 arg)
{
    bool far = tty_is_master(f);

    switch (cmd) {
    case LX_TIOCSCTTY: return ctty_acquire(&t->ctl, current, arg == 1, file_readable(f));
    case LX_TIOCNOTTY: return far ? -ENOTTY : ctty_give_up(&t->ctl, current);
    case LX_TIOCGSID:
    case LX_TIOCGPGRP: return get_id(t, mm, cmd, arg, far);
    case LX_TIOCSPGRP: return set_foreground(t, mm, arg);
    default: return -ENOTTY;
    }
}

/* --- size, queues, flow --- */

static s64 window_size(struct tty *t, struct mm *mm, bool change, u64 arg)
{
    struct lx_winsize size;

    if (change) {
        if (usermem_get(mm, &size, arg) < 0)
            return -EFAULT;
        tty_resize(t, &size);
        tty_wire_set_size(t, &size);
        return 0;
    }
    mutex_lock(&t->lock);
    size = t->size;
    mutex_unlock(&t->lock);
    return usermem_put(mm, arg, &size);
}

static s64 bytes_waiting(struct tty *t, struct mm *mm, bool far, u64 arg)
{
    u32 n;

    mutex_lock(&t->lock);
    n = far ? ldisc_far_readable(&t->ld) : ldisc_readable_bytes(&t->ld);
    mutex_unlock(&t->lock);
    return put_int(mm, arg, (s32)n);
}

static s64 flush(struct tty *t, bool far, u64 which)
{
    s64 err = far ? 0 : ctty_check(&t->ctl, current, LX_SIGTTOU);

    if (err)
        return err;
    if (which > LX_TCIOFLUSH)
        return -EINVAL;
    mutex_lock(&t->lock);
    if (far) {
        if (which != LX_TCOFLUSH)
            t->ld.out.tail = t->ld.stopped ? t->ld.hold : t->ld.out.head;
        if (which != LX_TCIFLUSH)
            t->ld.in.tail = t->ld.in.head;
        t->ld.effects |= LDISC_WRITABLE | LDISC_FAR_WRITABLE;
    } else {
        if (which != LX_TCOFLUSH)
            ldisc_flush_input(&t->ld);
        if (which != LX_TCIFLUSH)
            ldisc_flush_output(&t->ld);
        ldisc_pump(&t->ld);
    }
    tty_settle(t);
    return 0;
}

static s64 flow(struct tty *t, bool far, u64 what)
{
    s64 err = far ? 0 : ctty_check(&t->ctl, current, LX_SIGTTOU);
    const u8 *cc = t->ld.t.cc;

    if (err)
        return err;
    if (what > LX_TCION)
        return -EINVAL;
    if (far)
        return 0; /* a master holds nothing back */
    mutex_lock(&t->lock);
    if (what == LX_TCOOFF && !t->ld.tco_stopped) {
        t->ld.tco_stopped = true;
        ldisc_stop(&t->ld);
    } else if (what == LX_TCOON && t->ld.tco_stopped) {
        t->ld.tco_stopped = false;
        ldisc_start(&t->ld);
    } else if (what == LX_TCIOFF && cc[LX_VSTOP]) {
        ldisc_send(&t->ld, cc[LX_VSTOP]);
    } else if (what == LX_TCION && cc[LX_VSTART]) {
        ldisc_send(&t->ld, cc[LX_VSTART]);
    }
    tty_settle(t);
    return 0;
}

/* type_byte() - TIOCSTI. */
static s64 type_byte(struct tty *t, struct mm *mm, bool far, u64 arg)
{
    bool admin = cred_capable(current->cred, LX_CAP_SYS_ADMIN);
    struct ctty *own = ctty_of(current);
    bool is_own = own == &t->ctl && !far;
    u8 c;

    ctty_put(own);
    if (!is_own && !admin)
        return -EPERM;
    if (usermem_get(mm, &c, arg) < 0)
        return -EFAULT;
    mutex_lock(&t->lock);
    if (far)
        ldisc_send(&t->ld, c);
    else
        ldisc_type(&t->ld, c);
    tty_settle(t);
    return 0;
}

static s64 set_discipline(struct tty *t, struct mm *mm, u64 arg)
{
    s64 err;
    s32 n;

    if (usermem_get(mm, &n, arg) < 0)
        return -EFAULT;
    err = ctty_check(&t->ctl, current, LX_SIGTTOU);
    if (err)
        return err;
    return n == N_TTY ? 0 : -EINVAL;
}

static s64 set_exclusive(struct tty *t, bool on)
{
    mutex_lock(&t->lock);
    t->exclusive = on;
    mutex_unlock(&t->lock);
    return 0;
}

static s64 device_number(struct tty *t, struct mm *mm, u64 arg)
{
    u32 minor = t->ctl.minor;
    u32 dev = (minor & 0xff) | t->ctl.major << 8 | (minor & ~0xffu) << 12;

    return usermem_put(mm, arg, &dev);
}

static s64 vhangup_this(struct tty *t)
{
    if (!cred_capable(current->cred, LX_CAP_SYS_ADMIN))
        return -EPERM;
    tty_hang_up(t);
    return 0;
}

/* --- a master's own --- */

static s64 set_bool(struct tty *t, struct mm *mm, u64 arg, bool *flag)
{
    s32 on;

    if (usermem_get(mm, &on, arg) < 0)
        return -EFAULT;
    mutex_lock(&t->lock);
    if (flag == &t->ld.packet && on && !*flag)
        t->ld.status = 0;
    *flag = on;
    mutex_unlock(&t->lock);
    return 0;
}

static s64 get_bool(struct tty *t, struct mm *mm, u64 arg, const bool *flag)
{
    bool on;

    mutex_lock(&t->lock);
    on = *flag;
    mutex_unlock(&t->lock);
    return put_int(mm, arg, on);
}

/* send_signal() - TIOCSIG: as if its character had been typed, with no flush. */
static s64 send_signal(struct tty *t, u64 signo)
{
    if (signo != LX_SIGINT && signo != LX_SIGQUIT && signo != LX_SIGTSTP)
        return -EINVAL;
    ctty_signal(&t->ctl, (int)signo);
    return 0;
}

static s64 master_ioctl(struct file *f, struct tty *t, struct mm *mm, u32 cmd, u64 arg)
{
    switch (cmd) {
    case LX_TIOCGPTN: return put_int(mm, arg, (s32)t->index);
    case LX_TIOCSPTLCK: return set_bool(t, mm, arg, &t->locked);
    case LX_TIOCGPTLCK: return get_bool(t, mm, arg, &t->locked);
    case LX_TIOCPKT: return set_bool(t, mm, arg, &t->ld.packet);
    case LX_TIOCGPKT: return get_bool(t, mm, arg, &t->ld.packet);
    case LX_TIOCSIG: return send_signal(t, arg);
    case LX_TIOCGPTPEER: return t->driver->peer(t, f, (u32)arg);
    default: return -ENOTTY;
    }
}

/* --- all of it --- */

static s64 common_ioctl(struct tty *t, struct mm *mm, u32 cmd, u64 arg, bool far)
{
    switch (cmd) {
    case LX_TIOCGWINSZ: return window_size(t, mm, false, arg);
    case LX_TIOCSWINSZ: return window_size(t, mm, true, arg);
    case LX_FIONREAD: return bytes_waiting(t, mm, far, arg);
    case LX_TIOCOUTQ: return put_int(mm, arg, 0); /* what is written is at the far side */
    case LX_TCFLSH: return flush(t, far, arg);
    case LX_TCXONC: return flow(t, far, arg);
    case LX_TIOCSTI: return type_byte(t, mm, far, arg);
    case LX_TIOCGETD: return put_int(mm, arg, N_TTY);
    case LX_TIOCSETD: return set_discipline(t, mm, arg);
    case LX_TIOCEXCL: return set_exclusive(t, true);
    case LX_TIOCNXCL: return set_exclusive(t, false);
    case LX_TIOCGEXCL: return get_bool(t, mm, arg, &t->exclusive);
    case LX_TIOCGDEV: return device_number(t, mm, arg);
    case LX_TIOCVHANGUP: return vhangup_this(t);
    case LX_TCSBRK: /* no line, no break; output is never on its way */
    case LX_TCSBRKP:
    case LX_TIOCSBRK:
    case LX_TIOCCBRK: return far ? 0 : ctty_check(&t->ctl, current, LX_SIGTTOU);
    default: return tty_termios_ioctl(t, mm, cmd, arg);
    }
}

s64 tty_ioctl(struct file *f, struct mm *mm, u32 cmd, u64 arg)
{
    struct tty *t = tty_file_tty(f);
    bool far = tty_is_master(f);
    s64 ret;

    if (!far && tty_is_hung_up(f))
        return cmd == LX_TIOCSPGRP ? -ENOTTY : -EIO;
    switch (cmd) {
    case LX_TIOCSCTTY:
    case LX_TIOCNOTTY:
    case LX_TIOCGSID:
    case LX_TIOCGPGRP:
    case LX_TIOCSPGRP: return job_control(f, t, mm, cmd, arg);
    default: break;
    }
    if (cmd == LX_TIOCGPTPEER && !far)
        return -EIO;
    ret = far ? master_ioctl(f, t, mm, cmd, arg) : -ENOTTY;
    return ret == -ENOTTY ? common_ioctl(t, mm, cmd, arg, far) : ret;
}
