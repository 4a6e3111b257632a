/* The operation `objects`: how many objects of each type live in the sandbox (sentry/base/obj.h). */
#include "sentry/base/obj.h"
#include "sentry/control/server_priv.h"

#include <errno.h>
#include <json-c/json.h>

int control_objects(struct control_request *req)
{
    struct json_object *counts = json_object_new_object();
    int err = counts ? control_msg_ok(&req->reply, req->msg) : -ENOMEM;

    for (struct obj_type *t = obj_types(); t && !err; t = t->next)
        err = json_object_object_add(counts, t->name, json_object_new_uint64(atomic_load(&t->live)));
    if (err) {
        json_object_put(counts);
        return -ENOMEM;
    }
    return control_msg_set(&req->reply, "objects", counts);
}
