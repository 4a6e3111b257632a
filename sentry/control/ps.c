/* The operation `ps`: the container's processes, a page at a time in order of pid. */
#include "sentry/base/host_thread.h"
#include "sentry/control/server_priv.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/ctty.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    s32 pid, ppid, pgid, sid, host_pid;
    u32 uid;
    s64 start_seconds;
    u64 cpu_ms;
    char comm[16];
    char tty[24];
};

/* take_rows() - the processes above `after`, at most one page and one. Return: how many. */
static u32 take_rows(struct container *c, s32 after, struct thread_group *page[])
{
    u32 n = 0;

    pid_lock();
    for (s32 nr = after + 1; nr < PID_MAX && n <= CONTROL_PS_PAGE; nr++) {
        struct pid *p = pid_find_locked(c->pid_ns, nr);

        if (p && p->tg && !p->tg->dead)
            page[n++] = thread_group_get(p->tg);
    }
    pid_unlock();
    return n;
}

static void fill_row(struct container *c, struct thread_group *tg, struct row *r)
{
    u64 utime, stime, age;
    struct task *leader;
    struct cred *cred;

    *r = (struct row){.pid = pid_nr(tg->pid, c->pid_ns)};
    pid_lock();
    r->ppid = tg->parent ? pid_nr(tg->parent->pid, c->pid_ns) : 0;
    if (tg->pgrp) {
        r->pgid = pid_nr(tg->pgrp->pid, c->pid_ns);
        r->sid = pid_nr(tg->pgrp->session->pid, c->pid_ns);
    }
    snprintf(r->tty, sizeof(r->tty), tg->tty ? "pts/%u" : "?", tg->tty ? tg->tty->minor : 0);
    leader = task_get(tg->leader);
    pid_unlock();
    thread_group_times(tg, &utime, &stime);
    r->cpu_ms = (utime + stime) / 1000000;
    if (!leader)
        return;
    cred = task_cred_of(leader);
    r->uid = uid_from_kuid(c->user_ns, cred->uid);
    cred_put(cred);
    mutex_lock(&leader->lock);
    memcpy(r->comm, leader->comm, sizeof(r->comm));
    if (leader->mm)
        r->host_pid = c->platform->mm_pid(leader->mm->plat);
    mutex_unlock(&leader->lock);
    age = host_monotonic() - leader->start_time;
    r->start_seconds = (s64)((host_clock(CLOCK_REALTIME) - age) / NS_PER_SEC);
    task_put(leader);
}

static struct json_object *row_json(const struct row *r)
{
    struct json_object *o = json_object_new_object();

    if (!o)
        return NULL;
    json_object_object_add(o, "pid", json_object_new_int(r->pid));
    json_object_object_add(o, "ppid", json_object_new_int(r->ppid));
    json_object_object_add(o, "pgid", json_object_new_int(r->pgid));
    json_object_object_add(o, "sid", json_object_new_int(r->sid));
    json_object_object_add(o, "uid", json_object_new_int64(r->uid));
    json_object_object_add(o, "tty", json_object_new_string(r->tty));
    json_object_object_add(o, "stime", json_object_new_int64(r->start_seconds));
    json_object_object_add(o, "time", json_object_new_int64((s64)r->cpu_ms));
    json_object_object_add(o, "cmd", json_object_new_string(r->comm));
    json_object_object_add(o, "hostPid", json_object_new_int(r->host_pid));
    return o;
}

int control_ps(struct control_request *req)
{
    struct thread_group **page = calloc(CONTROL_PS_PAGE + 1, sizeof(struct thread_group *));
    struct json_object *list = json_object_new_array();
    struct container *c = control_config.container;
    s64 after = 0;
    u32 n;
    int err;

    if (!page || !list) {
        free(page);
        json_object_put(list);
        return -ENOMEM;
    }
    control_msg_get_int(req->msg, "after", &after);
    n = take_rows(c, (s32)max_of(after, (s64)0), page);
    for (u32 i = 0; i < n; i++) {
        struct row r;

        if (i < CONTROL_PS_PAGE) {
            fill_row(c, page[i], &r);
            json_object_array_add(list, row_json(&r));
        }
        thread_group_put(page[i]);
    }
    free(page);
    err = control_msg_ok(&req->reply, req->msg);
    if (!err)
        err = control_msg_set_bool(&req->reply, "more", n > CONTROL_PS_PAGE);
    return err ? (json_object_put(list), err) : control_msg_set(&req->reply, "processes", list);
}
