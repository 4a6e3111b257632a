/* Interface ioctls of sockets (netdevice(7)): questions are answered; changes need CAP_NET_ADMIN. */
#include "sentry/socket/inet/inet_sock.h"

#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usermem.h"

#include <errno.h>
#include <string.h>

enum { CAP_NET_ADMIN = 12, NETMASK_8 = 0x000000ff };

/* first_addr4() - the interface's first IPv4 address. */
static bool first_addr4(struct inet_ns *ns, const struct inet_dev *dev, struct inet_addr *out)
{
    struct inet_ifaddr *a;
    bool found = false;

    rwlock_read(&ns->lock);
    list_for_each(a, &ns->addrs, node) {
        if (a->dev == dev && inet_addr_is4(&a->addr)) {
            *out = a->addr;
            found = true;
            break;
        }
    }
    rwlock_unlock(&ns->lock);
    return found;
}

static void put_addr(struct lx_ifreq *r, u32 addr)
{
    memset(&r->addr, 0, sizeof(r->addr));
    r->addr.family = LX_AF_INET;
    r->addr.addr = addr;
}

/* conf() - SIOCGIFCONF: interfaces that have an IPv4 address. */
static s64 conf(struct inet_ns *ns, struct mm *mm, u64 arg)
{
    struct lx_ifconf c;
    struct lx_ifreq r = {0};
    struct inet_addr addr;
    struct inet_dev *lo = inet_dev_find(ns, INET_LO_INDEX);
    bool has = first_addr4(ns, lo, &addr);

    if (usermem_get(mm, &c, arg) < 0)
        return -EFAULT;
    if (c.len < 0)
        return -EINVAL;
    if (!c.req) {
        c.len = has ? (s32)sizeof(r) : 0;
    } else if (has && c.len >= (s32)sizeof(r)) {
        memcpy(r.name, lo->name, sizeof(r.name));
        put_addr(&r, inet_addr_to4(&addr));
        if (usermem_put(mm, c.req, &r) < 0)
            return -EFAULT;
        c.len = sizeof(r);
    } else {
        c.len = 0;
    }
    return usermem_put(mm, arg, &c);
}

static s64 name_of(struct inet_ns *ns, struct mm *mm, u64 arg)
{
    struct lx_ifreq r;
    struct inet_dev *dev;

    if (usermem_get(mm, &r, arg) < 0)
        return -EFAULT;
    dev = inet_dev_find(ns, (u32)r.value);
    if (!dev)
        return -ENODEV;
    memcpy(r.name, dev->name, sizeof(r.name));
    return usermem_put(mm, arg, &r);
}

/* answer_addr() - addresses of IPv4: without one, EADDRNOTAVAIL. */
static int answer_addr(struct inet_ns *ns, struct inet_dev *dev, u32 cmd, struct lx_ifreq *r)
{
    struct inet_addr addr;
    bool has = first_addr4(ns, dev, &addr);

    if (!has)
        return -EADDRNOTAVAIL;
    if (cmd == LX_SIOCGIFNETMASK)
        put_addr(r, NETMASK_8);
    else if (cmd == LX_SIOCGIFBRDADDR)
        put_addr(r, 0);
    else
        put_addr(r, inet_addr_to4(&addr));
    return 0;
}

static int answer(struct inet_ns *ns, struct inet_dev *dev, u32 cmd, struct lx_ifreq *r)
{
    switch (cmd) {
    case LX_SIOCGIFFLAGS:
        r->flags = (s16)dev->flags;
        return 0;
    case LX_SIOCGIFADDR:
    case LX_SIOCGIFDSTADDR:
    case LX_SIOCGIFBRDADDR:
    case LX_SIOCGIFNETMASK:
        return answer_addr(ns, dev, cmd, r);
    case LX_SIOCGIFMETRIC:
        r->value = 0;
        return 0;
    case LX_SIOCGIFMTU:
        r->value = (s32)dev->mtu;
        return 0;
    case LX_SIOCGIFINDEX:
        r->value = (s32)dev->index;
        return 0;
    case LX_SIOCGIFTXQLEN:
        r->value = 1000;
        return 0;
    case LX_SIOCGIFHWADDR:
        memset(r->hwaddr, 0, sizeof(r->hwaddr));
        r->hwaddr[0] = (u8)dev->type;
        r->hwaddr[1] = (u8)(dev->type >> 8);
        memcpy(r->hwaddr + 2, dev->hwaddr, dev->hwaddr_len);
        return 0;
    case LX_SIOCGIFMAP:
        memset(r->map, 0, sizeof(r->map));
        return 0;
    default:
        return -EOPNOTSUPP;
    }
}

static int change(struct inet_ns *ns, struct inet_dev *dev, u32 cmd, const struct lx_ifreq *r)
{
    if (cmd != LX_SIOCSIFFLAGS)
        return -EOPNOTSUPP;
    return inet_dev_set_up(ns, dev, r->flags & LX_IFF_UP);
}

static bool is_change(u32 cmd)
{
    switch (cmd) {
    case LX_SIOCSIFFLAGS:
    case LX_SIOCSIFADDR:
    case LX_SIOCSIFDSTADDR:
    case LX_SIOCSIFBRDADDR:
    case LX_SIOCSIFNETMASK:
    case LX_SIOCSIFMETRIC:
    case LX_SIOCSIFMTU:
    case LX_SIOCSIFNAME:
    case LX_SIOCSIFHWADDR:
    case LX_SIOCSIFTXQLEN:
    case LX_SIOCADDRT:
    case LX_SIOCDELRT:
    case LX_SIOCSARP:
    case LX_SIOCDARP:
        return true;
    default:
        return false;
    }
}

static bool is_question(u32 cmd)
{
    switch (cmd) {
    case LX_SIOCGIFFLAGS:
    case LX_SIOCGIFADDR:
    case LX_SIOCGIFDSTADDR:
    case LX_SIOCGIFBRDADDR:
    case LX_SIOCGIFNETMASK:
    case LX_SIOCGIFMETRIC:
    case LX_SIOCGIFMTU:
    case LX_SIOCGIFINDEX:
    case LX_SIOCGIFTXQLEN:
    case LX_SIOCGIFHWADDR:
    case LX_SIOCGIFMAP:
    case LX_SIOCETHTOOL:
        return true;
    default:
        return false;
    }
}

s64 inet_dev_ioctl(struct socket *sock, struct mm *mm, u32 cmd, u64 arg)
{
    struct inet_ns *ns = inet_ns_of(sock->net);
    struct lx_ifreq r;
    struct inet_dev *dev;
    bool changes = is_change(cmd);
    int rc;

    if (!changes && !is_question(cmd) && cmd != LX_SIOCGIFCONF && cmd != LX_SIOCGIFNAME)
        return -ENOTTY;
    if (!ns)
        return -ENOMEM;
    if (cmd == LX_SIOCGIFCONF)
        return conf(ns, mm, arg);
    if (cmd == LX_SIOCGIFNAME)
        return name_of(ns, mm, arg);
    if (changes && !cred_has_cap(current->cred, sock->net->user_ns, CAP_NET_ADMIN))
        return -EPERM;
    if (usermem_get(mm, &r, arg) < 0)
        return -EFAULT;
    r.name[LX_IFNAMSIZ - 1] = 0;
    dev = inet_dev_named(ns, r.name);
    if (!dev)
        return -ENODEV;
    if (changes)
        return change(ns, dev, cmd, &r);
    rc = answer(ns, dev, cmd, &r);
    return rc < 0 ? rc : usermem_put(mm, arg, &r);
}

/* is_address() - what the families of IP answer themselves. */
static bool is_address(u32 cmd)
{
    switch (cmd) {
    case LX_SIOCGIFADDR:
    case LX_SIOCGIFDSTADDR:
    case LX_SIOCGIFBRDADDR:
    case LX_SIOCGIFNETMASK:
    case LX_SIOCSIFADDR:
    case LX_SIOCSIFDSTADDR:
    case LX_SIOCSIFBRDADDR:
    case LX_SIOCSIFNETMASK:
    case LX_SIOCADDRT:
    case LX_SIOCDELRT:
    case LX_SIOCSARP:
    case LX_SIOCDARP:
        return true;
    default:
        return false;
    }
}

s64 inet_link_ioctl(struct socket *sock, struct mm *mm, u32 cmd, u64 arg)
{
    return is_address(cmd) ? -ENOTTY : inet_dev_ioctl(sock, mm, cmd, arg);
}
