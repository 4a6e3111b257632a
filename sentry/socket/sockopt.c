/*
 * Options of SOL_SOCKET (socket(7)). What is merely on or off is a row in switches[]; the rest has a
 * function. Checks come in Linux's order: the length, the value's memory (by the caller), then
 * whether the option exists.
 */
#include "sentry/abi/lx_cred.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/socket.h"

#include <errno.h>
#include <string.h>

enum { SNDBUF_MIN = 4608, RCVBUF_MIN = 2304, USEC = 1000000, MEMINFO_WORDS = 9 };

static const struct {
    int name;
    u32 flag;
} switches[] = {
    {LX_SO_DEBUG, SOCKET_DEBUG},
    {LX_SO_REUSEADDR, SOCKET_REUSEADDR},
    {LX_SO_REUSEPORT, SOCKET_REUSEPORT},
    {LX_SO_DONTROUTE, SOCKET_DONTROUTE},
    {LX_SO_BROADCAST, SOCKET_BROADCAST},
    {LX_SO_KEEPALIVE, SOCKET_KEEPALIVE},
    {LX_SO_OOBINLINE, SOCKET_OOBINLINE},
    {LX_SO_NO_CHECK, SOCKET_NO_CHECK},
    {LX_SO_PASSCRED, SOCKET_PASSCRED},
    {LX_SO_PASSSEC, SOCKET_PASSSEC},
    {LX_SO_RXQ_OVFL, SOCKET_RXQ_OVFL},
    {LX_SO_SELECT_ERR_QUEUE, SOCKET_SELECT_ERR_QUEUE},
    {LX_SO_PREFER_BUSY_POLL, SOCKET_PREFER_BUSY_POLL},
};

static u32 switch_of(int name)
{
    for (u32 i = 0; i < ARRAY_SIZE(switches); i++)
        if (switches[i].name == name)
            return switches[i].flag;
    return 0;
}

static bool admin(const struct socket *s, int cap)
{
    return cred_has_cap(task_cred(current), s->net->user_ns, cap);
}

static bool is_inet(const struct socket *s)
{
    return s->family == LX_AF_INET || s->family == LX_AF_INET6;
}

/* passes_scm() - may it receive credentials and their like? */
static bool passes_scm(const struct socket *s)
{
    return s->family == LX_AF_UNIX || s->family == LX_AF_NETLINK;
}

/* --- setting --- */

/* may_switch() - may this task set `name` to `on` for `s`? */
static int may_switch(const struct socket *s, int name, s32 value)
{
    switch (name) {
    case LX_SO_DEBUG: return !value || admin(s, LX_CAP_NET_ADMIN) ? 0 : -EACCES;
    case LX_SO_REUSEPORT: return !value || is_inet(s) ? 0 : -EOPNOTSUPP;
    case LX_SO_PREFER_BUSY_POLL: return !value || admin(s, LX_CAP_NET_ADMIN) ? 0 : -EPERM;
    case LX_SO_PASSCRED: return passes_scm(s) ? 0 : -EOPNOTSUPP;
    case LX_SO_PASSSEC: return passes_scm(s) ? 0 : -EOPNOTSUPP;
    default: return 0;
    }
}

static void set_flag(struct socket *s, u32 flag, bool on)
{
    u32 flags = on ? s->opt.flags | flag : s->opt.flags & ~flag;

    __atomic_store_n(&s->opt.flags, flags, __ATOMIC_RELAXED);
}

static void set_timestamp(struct socket *s, u32 which, bool fresh, bool on)
{
    set_flag(s, SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS | SOCKET_TIMESTAMP_NEW, false);
    if (on)
        set_flag(s, which | (fresh ? SOCKET_TIMESTAMP_NEW : 0), true);
}

static int set_linger(struct socket *s, const void *value, u32 len)
{
    struct lx_linger l;

    if (len < sizeof(l))
        return -EINVAL;
    memcpy(&l, value, sizeof(l));
    s->opt.linger = !l.onoff ? -1 : l.linger < 0 ? INT32_MAX : l.linger;
    return 0;
}

static int set_timeout(u64 *to, const void *value, u32 len)
{
    struct lx_timeval_sock tv;

    if (len < sizeof(tv))
        return -EINVAL;
    memcpy(&tv, value, sizeof(tv));
    if (tv.usec < 0 || tv.usec >= USEC)
        return -EDOM;
    if (tv.sec < 0)
        *to = 1;
    else if ((u64)tv.sec >= UINT64_MAX / NS_PER_SEC - 1)
        *to = 0;
    else
        *to = (u64)tv.sec * NS_PER_SEC + (u64)tv.usec * 1000;
    return 0;
}

/* set_sndbuf(), set_rcvbuf() - Linux doubles what it is given, for its own overhead. */
static int set_sndbuf(struct socket *s, u32 bytes)
{
    s->opt.sndbuf = max_of(min_of(bytes, (u32)LIMIT_SOCKET_BUFFER) * 2, (u32)SNDBUF_MIN);
    return 0;
}

static int set_rcvbuf(struct socket *s, u32 bytes)
{
    s->opt.rcvbuf = max_of(min_of(bytes, (u32)LIMIT_SOCKET_BUFFER) * 2, (u32)RCVBUF_MIN);
    return 0;
}

static int set_priority(struct socket *s, s32 value)
{
    if ((value < 0 || value > 6) && !admin(s, LX_CAP_NET_RAW) && !admin(s, LX_CAP_NET_ADMIN))
        return -EPERM;
    s->opt.priority = (u32)value;
    return 0;
}

static int set_mark(struct socket *s, s32 value)
{
    if (!admin(s, LX_CAP_NET_RAW) && !admin(s, LX_CAP_NET_ADMIN))
        return -EPERM;
    s->opt.mark = (u32)value;
    return 0;
}

static int set_number(struct socket *s, int name, s32 value)
{
    switch (name) {
    case LX_SO_SNDBUF: return set_sndbuf(s, (u32)value);
    case LX_SO_RCVBUF: return set_rcvbuf(s, (u32)value);
    case LX_SO_SNDBUFFORCE:
        return admin(s, LX_CAP_NET_ADMIN) ? set_sndbuf(s, (u32)max_of(value, 0)) : -EPERM;
    case LX_SO_RCVBUFFORCE:
        return admin(s, LX_CAP_NET_ADMIN) ? set_rcvbuf(s, (u32)max_of(value, 0)) : -EPERM;
    case LX_SO_PRIORITY: return set_priority(s, value);
    case LX_SO_MARK: return set_mark(s, value);
    case LX_SO_RCVLOWAT:
        s->opt.rcvlowat = value < 0 ? (u32)INT32_MAX : max_of((u32)value, 1u);
        return 0;
    case LX_SO_BUSY_POLL:
        if (value < 0)
            return -EINVAL;
        s->opt.busy_poll = (u32)value;
        return 0;
    case LX_SO_INCOMING_CPU: s->opt.incoming_cpu = (u32)value; return 0;
    default: return -ENOPROTOOPT;
    }
}

/* set_locked() - Return: 0, or what the option says; -ENOPROTOOPT: not one of ours. */
static int set_locked(struct socket *s, int name, const void *value, u32 len)
{
    u32 flag = switch_of(name);
    s32 n;
    int err;

    memcpy(&n, value, sizeof(n));
    if (flag) {
        err = may_switch(s, name, n);
        if (!err)
            set_flag(s, flag, n);
        return err;
    }
    switch (name) {
    case LX_SO_LINGER: return set_linger(s, value, len);
    case LX_SO_TIMESTAMP_OLD: set_timestamp(s, SOCKET_TIMESTAMP, false, n); return 0;
    case LX_SO_TIMESTAMPNS_OLD: set_timestamp(s, SOCKET_TIMESTAMPNS, false, n); return 0;
    case LX_SO_TIMESTAMP_NEW: set_timestamp(s, SOCKET_TIMESTAMP, true, n); return 0;
    case LX_SO_TIMESTAMPNS_NEW: set_timestamp(s, SOCKET_TIMESTAMPNS, true, n); return 0;
    case LX_SO_RCVTIMEO_OLD:
    case LX_SO_RCVTIMEO_NEW: return set_timeout(&s->opt.rcvtimeo, value, len);
    case LX_SO_SNDTIMEO_OLD:
    case LX_SO_SNDTIMEO_NEW: return set_timeout(&s->opt.sndtimeo, value, len);
    case LX_SO_PASSRIGHTS:
        if (s->family != LX_AF_UNIX)
            return -EOPNOTSUPP;
        set_flag(s, SOCKET_REFUSE_RIGHTS, !n);
        return 0;
    default: return set_number(s, name, n);
    }
}

/* set_device() - SO_BINDTODEVICE: its value is a name, not an int. The family knows the devices. */
static int set_device(struct socket *s, const void *value, u32 len)
{
    if (s->ops->setsockopt)
        return s->ops->setsockopt(s, LX_SOL_SOCKET, LX_SO_BINDTODEVICE, value, len);
    return len && *(const char *)value ? -ENODEV : 0;
}

static int set_common(struct socket *s, int name, const void *value, u32 len)
{
    int err;

    if (name == LX_SO_BINDTODEVICE)
        return set_device(s, value, len);
    if (len < sizeof(s32))
        return -EINVAL;
    mutex_lock(&s->lock);
    err = set_locked(s, name, value, len);
    mutex_unlock(&s->lock);
    if (!err && s->ops->option_changed)
        s->ops->option_changed(s, name);
    if (err == -ENOPROTOOPT && s->ops->setsockopt)
        return s->ops->setsockopt(s, LX_SOL_SOCKET, name, value, len);
    return err;
}

int socket_setsockopt(struct socket *s, int level, int name, const void *value, u32 len)
{
    if (level == LX_SOL_SOCKET)
        return set_common(s, name, value, len);
    return s->ops->setsockopt ? s->ops->setsockopt(s, level, name, value, len) : -EOPNOTSUPP;
}

/* --- getting --- */

/* put() - as much of the answer as there is room for. */
static int put(void *to, u32 *room, const void *value, u32 len)
{
    *room = min_of(*room, len);
    memcpy(to, value, *room);
    return 0;
}

static int put_int(void *to, u32 *room, s32 value)
{
    return put(to, room, &value, sizeof(value));
}

static int put_u64(void *to, u32 *room, u64 value)
{
    return *room < sizeof(value) ? -EINVAL : put(to, room, &value, sizeof(value));
}

static int put_timeout(void *to, u32 *room, u64 ns)
{
    struct lx_timeval_sock tv = {(s64)(ns / NS_PER_SEC), (s64)(ns % NS_PER_SEC / 1000)};

    return put(to, room, &tv, sizeof(tv));
}

static int put_linger(void *to, u32 *room, s32 seconds)
{
    struct lx_linger l = {seconds >= 0, seconds >= 0 ? seconds : 0};

    return put(to, room, &l, sizeof(l));
}

static int put_peername(struct socket *s, void *to, u32 *room)
{
    struct socket_addr a = {0};
    int err = s->ops->getname ? s->ops->getname(s, true, &a) : -ENOTCONN;

    if (err < 0)
        return -ENOTCONN;
    return a.len < *room ? -EINVAL : put(to, room, a.bytes, *room);
}

/* put_timestamp() - SO_TIMESTAMP and its like: is exactly this one on? */
static int put_timestamp(const struct socket *s, void *to, u32 *room, u32 want)
{
    const u32 all = SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS | SOCKET_TIMESTAMP_NEW;

    return put_int(to, room, (s->opt.flags & all) == want);
}

static int get_word(const struct socket *s, int name, void *to, u32 *room)
{
    const struct socket_options *o = &s->opt;

    switch (name) {
    case LX_SO_TYPE: return put_int(to, room, s->type);
    case LX_SO_DOMAIN: return put_int(to, room, s->family);
    case LX_SO_PROTOCOL: return put_int(to, room, (s32)s->protocol);
    case LX_SO_SNDBUF: return put_int(to, room, (s32)o->sndbuf);
    case LX_SO_RCVBUF: return put_int(to, room, (s32)o->rcvbuf);
    case LX_SO_PRIORITY: return put_int(to, room, (s32)o->priority);
    case LX_SO_MARK: return put_int(to, room, (s32)o->mark);
    case LX_SO_RCVLOWAT: return put_int(to, room, (s32)o->rcvlowat);
    case LX_SO_SNDLOWAT: return put_int(to, room, 1);
    case LX_SO_ACCEPTCONN: return put_int(to, room, !!(o->flags & SOCKET_ACCEPTCONN));
    case LX_SO_PASSRIGHTS: return put_int(to, room, !(o->flags & SOCKET_REFUSE_RIGHTS));
    case LX_SO_BUSY_POLL: return put_int(to, room, (s32)o->busy_poll);
    case LX_SO_INCOMING_CPU: return put_int(to, room, (s32)o->incoming_cpu);
    case LX_SO_PEEK_OFF:
        return s->family == LX_AF_UNIX ? put_int(to, room, o->peek_off) : -EOPNOTSUPP;
    default: return -ENOPROTOOPT;
    }
}

static int get_own(struct socket *s, int name, void *to, u32 *room)
{
    static const struct lx_ucred nobody = {0, UINT32_MAX, UINT32_MAX};
    static const u32 meminfo[MEMINFO_WORDS];
    u32 flag = switch_of(name);

    if (flag)
        return put_int(to, room, !!(s->opt.flags & flag));
    switch (name) {
    case LX_SO_ERROR: return put_int(to, room, -socket_error(s));
    case LX_SO_LINGER: return put_linger(to, room, s->opt.linger);
    case LX_SO_RCVTIMEO_OLD:
    case LX_SO_RCVTIMEO_NEW: return put_timeout(to, room, s->opt.rcvtimeo);
    case LX_SO_SNDTIMEO_OLD:
    case LX_SO_SNDTIMEO_NEW: return put_timeout(to, room, s->opt.sndtimeo);
    case LX_SO_TIMESTAMP_OLD: return put_timestamp(s, to, room, SOCKET_TIMESTAMP);
    case LX_SO_TIMESTAMPNS_OLD: return put_timestamp(s, to, room, SOCKET_TIMESTAMPNS);
    case LX_SO_TIMESTAMP_NEW:
        return put_timestamp(s, to, room, SOCKET_TIMESTAMP | SOCKET_TIMESTAMP_NEW);
    case LX_SO_TIMESTAMPNS_NEW:
        return put_timestamp(s, to, room, SOCKET_TIMESTAMPNS | SOCKET_TIMESTAMP_NEW);
    case LX_SO_PEERNAME: return put_peername(s, to, room);
    case LX_SO_PEERCRED: return put(to, room, &nobody, sizeof(nobody));
    case LX_SO_PEERGROUPS: return -ENODATA;
    case LX_SO_MEMINFO: return put(to, room, meminfo, sizeof(meminfo));
    case LX_SO_COOKIE: return put_u64(to, room, s->obj.id);
    case LX_SO_NETNS_COOKIE:
        return *room == sizeof(u64) ? put_u64(to, room, s->net->obj.id) : -EINVAL;
    case LX_SO_BINDTODEVICE: *room = 0; return 0;
    default: return get_word(s, name, to, room);
    }
}

/* family_first() - does the family know more about this option than we do? */
static bool family_first(int name)
{
    return name == LX_SO_PEERCRED || name == LX_SO_PEERGROUPS || name == LX_SO_PEEK_OFF ||
           name == LX_SO_MEMINFO || name == LX_SO_BINDTODEVICE;
}

static int get_common(struct socket *s, int name, void *to, u32 *room)
{
    int err = -ENOPROTOOPT;

    if (family_first(name) && s->ops->getsockopt)
        err = s->ops->getsockopt(s, LX_SOL_SOCKET, name, to, room);
    if (err == -ENOPROTOOPT)
        err = get_own(s, name, to, room);
    if (err == -ENOPROTOOPT && !family_first(name) && s->ops->getsockopt)
        err = s->ops->getsockopt(s, LX_SOL_SOCKET, name, to, room);
    return err;
}

int socket_getsockopt(struct socket *s, int level, int name, void *value, u32 *len)
{
    if (level == LX_SOL_SOCKET)
        return get_common(s, name, value, len);
    return s->ops->getsockopt ? s->ops->getsockopt(s, level, name, value, len) : -EOPNOTSUPP;
}
