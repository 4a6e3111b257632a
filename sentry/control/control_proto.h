/*
 * control_proto.h: what runsc, the Sentry and the gofer say to each other outside of the file
 * channel: boot messages, control operations, their fields and limits. Layouts only; the code that
 * builds, sends and receives such messages is control_msg.h.
 *
 * FRAMING
 *   Sockets are AF_UNIX SOCK_SEQPACKET. One packet is one JSON object, UTF-8, no trailing NUL, at
 *   most CONTROL_PACKET_MAX bytes. Descriptors travel by SCM_RIGHTS in the same packet; the message
 *   then has a member "fds": an array of strings, one for each descriptor, in the order of the
 *   SCM_RIGHTS array. A packet that is longer, not JSON, no object, nested deeper than
 *   CONTROL_DEPTH_MAX, or whose "fds" disagrees with the descriptors that came, is refused and
 *   its descriptors are closed. Whatever can be large (config.json, a process spec) is never
 *   inside a packet: it is a sealed memfd (write, grow, shrink and seal sealed), at most
 *   CONTROL_BLOB_MAX bytes, read from offset 0 with pread. The receiver checks the seals.
 *
 * REPLIES
 *   {"ok":true, ...} or {"ok":false,"error":"<one human line>","errno":<positive, optional>}.
 *   A request may hold "seq": an integer, which the reply repeats. Replies come in any order when
 *   a seq is given: after a `wait`, further requests on that connection are served while it is
 *   pending. Unknown members are ignored; an unknown op is an error reply with ENOSYS. A malformed
 *   packet gets an error reply (EINVAL) and the connection is closed.
 *
 * BOOT (fd number in argv: "runsc-sandbox --boot-fd=3", "runsc-gofer --boot-fd=3"; empty environment)
 *   runsc sends exactly one packet, the child exactly one reply.
 *
 *   to the Sentry
 *     {"op":"boot","id":"<container>","bundle":"/abs/path","created":"<RFC 3339>",
 *      "flags":{"<global flag>":"<value as text>", ...}      every global flag, effective value
 *      "spec-path":"/abs/path/config.json"                    for error texts
 *      "mounts":[{"index":I,"spec":J,"readonly":bool,"dir":bool}, ...]
 *                         gofer mount /mnt/I is mounts[J] of the spec; "dir" false: a single file
 *      "root-readonly":bool,
 *      "pids-limit":N,                                        0: none
 *      "fds":[...]}
 *     descriptors (those marked * may be missing)
 *       "control"     listening SOCK_SEQPACKET socket, the control socket
 *       "spec"        sealed memfd, the text of config.json, already parsed once by runsc; parse it
 *                     with oci_spec_parse()
 *       "exit"        O_WRONLY file; see EXIT
 *       "stdin" "stdout" "stderr"   of the container's init; or, if process.terminal is set, one of
 *       "console"     a terminal of the host made for it, whose master runsc's caller has; the Sentry
 *                     takes it as its controlling terminal, so that it is told of new sizes
 *       "terminal"    runsc's own terminal; runsc sends `resize`
 *                     Both: raw mode, O_NONBLOCK, a description of the Sentry's own
 *       "gofer-shm" "gofer-sock"    the file channel: memfd and SEQPACKET socket to the gofer
 *       "log"*        O_APPEND, the --log file
 *       "debug-log"*  O_APPEND, --debug-log opened for the Sentry ("strace" goes there too, or to
 *                     stderr's copy "user-stderr" when there is no debug log)
 *       "user-log"*   O_APPEND, --user-log of create
 *       "panic-log"*  O_APPEND, --panic-log
 *       "user-stderr"* runsc's own stderr, given for --alsologtostderr and for --strace without log
 *       "pass:<N>"*   further descriptor, to be N in init (--pass-fd HOST:N)
 *     The Sentry answers {"ok":true} when it is fully confined and ready to take `start`, or
 *     {"ok":false,"error":...} and exits 128. A dead boot socket before that means that runsc
 *     is gone: exit.
 *     What it finds: pid 1 of a new pid namespace; new user, mount, ipc, uts, network, time
 *     namespaces; all capabilities in that user namespace and none outside; uid and gid maps with
 *     CONTROL_UID_SENTRY (itself; what it runs as) and CONTROL_UID_GUEST, one id each, and no
 *     other; setgroups already denied or emptied; mount propagation private, the host's tree
 *     still there; already in its cgroup; session leader; signals default and unblocked but SIGPIPE
 *     ignored; descriptors 0-2 /dev/null, the boot socket, none else.
 *
 *   to the gofer
 *     {"op":"boot","id":...,"root-readonly":bool,"mounts":[{"index":I,"readonly":bool,"dir":bool}],
 *      "flags":{...},"fds":["shm","sock","log"*,"debug-log"*]}
 *     What it finds: pid 1 of its own pid namespace; own mount, ipc, uts, network namespaces; its
 *     root holds only /root (the container's root file system) and /mnt/<I>, nosuid and nodev
 *     where asked, read-only on the host's side too; descriptors 0-2 /dev/null, the boot socket.
 *     It answers {"ok":true} when it is confined, and serves until the channel's socket closes.
 *
 * EXIT
 *   When init has ended the Sentry writes its status, "N\n" in decimal (0-255; 128 + n for a signal
 *   n), with one pwrite at offset 0 to "exit", lets pending `wait`s be answered, ends all that
 *   still runs, and exits itself with the same status. A Sentry that fails by itself writes nothing
 *   and exits 128 + n or dies from a signal; the container then counts as stopped.
 *
 * CONTROL (the socket "control"; each request holds "op" and "id", the container)
 *
 *   start       {}                      the mount tree and the first task are made
 *               -> {"ok":true,"pid":1}  after its execve succeeded; else the reason, and the Sentry
 *                                       stays in state "created" unless it exits after the reply
 *
 *   state       {}  -> {"ok":true,"state":"created"|"running"|"paused"|"stopped"}
 *
 *   exec        {"bind":bool,"fds":["process","stdin","stdout","stderr","pass:<N>"*...]}
 *               with process.terminal: "console", as above, instead of the three
 *               "process" is a sealed memfd with a process object as in config.json, all fields
 *               complete (runsc has filled in what was not given); parse: oci_process_parse()
 *               -> {"ok":true,"pid":N}  N in the container's pid namespace, after its execve
 *               bind: the process belongs to this connection. It may `wait` and `kill` it by "pid",
 *               and when the connection closes before the process has ended, the Sentry sends
 *               SIGKILL to it. (The pid that a shim knows is a waiter's, which forwards what
 *               it can catch; SIGKILL on the waiter so becomes SIGKILL inside.)
 *
 *   wait        {"pid":N*,"rootpid":bool*}    no pid: init. rootpid: N counts in the sandbox's first
 *                                             pid namespace, else in the container's
 *               -> {"ok":true,"status":S}     when it has ended: 0-255, 128 + n for a signal. Status
 *                                             of a process made by exec is kept until it has been
 *                                             waited for once or its bound connection closes
 *               -> ESRCH: no such process that init or exec made
 *
 *   kill        {"signal":S,"pid":N*,"mode":"process"|"group"|"all"}   default mode "process"
 *               process: N (thread group), default init. group: process group N. all: every process
 *               of the container. As from a parent namespace: SIGKILL and SIGSTOP reach init too,
 *               other signals only where init has a handler. -> {"ok":true}, ESRCH, EINVAL
 *
 *   resize      {"pid":N*}             the terminal of init, or of N made by exec on this connection, has
 *               a new size on the host -> {"ok":true}, ENOTTY (it has none), ESRCH
 *
 *   ps          {"after":N*}  -> {"ok":true,"more":bool,"processes":[{"pid":N,"ppid":N,"pgid":N,
 *               "sid":N,"uid":U,"tty":"?"|"pts/0","stime":S,"time":T,"cmd":"name","hostPid":H}]}
 *               ascending by pid, those > after, at most CONTROL_PS_PAGE a reply; "more": ask again
 *               with the last pid. pid, ppid, pgid, sid: container's pid namespace. stime: start, in
 *               seconds since the epoch; time: CPU time used, in ms; hostPid: the host process that
 *               holds it, in the pid namespace whose pid 1 the Sentry is
 *
 *   pause, resume   {}  -> {"ok":true}   every task at its syscall boundary, invisibly / let go
 *
 *   stats       {}  -> {"ok":true,"pids":{"current":N,"limit":N},"cpuTime":ns,"tmpfs":bytes}
 *               what the host's cgroup cannot tell
 *
 *   objects     {}  -> {"ok":true,"objects":{"<type>":N, ...}}   live objects of the sandbox by type
 *
 *   Reserved, answered with ENOSYS until they are built: update, checkpoint, restore, debug, usage,
 *   port-forward, create-container, delete-container.
 */
#pragma once

#include "sentry/base/limits.h"

/* Limits of one packet. */
#define CONTROL_PACKET_MAX LIMIT_CONTROL_MESSAGE
#define CONTROL_FDS_MAX 32
#define CONTROL_DEPTH_MAX 16
#define CONTROL_FD_NAME_MAX 32

/* A config.json or a process spec in a memfd. */
#define CONTROL_BLOB_MAX LIMIT_SPEC_BYTES

/* Processes in one reply to `ps`. */
#define CONTROL_PS_PAGE 256

/* Ids inside the sandbox's user namespace (uids and gids alike). */
#define CONTROL_UID_SENTRY 0
#define CONTROL_UID_GUEST 1

/* The descriptor on which a re-executed child finds its boot socket. */
#define CONTROL_BOOT_FD 3

/* Names under which the binary re-executes itself. */
#define CONTROL_ARGV0_SANDBOX "runsc-sandbox"
#define CONTROL_ARGV0_GOFER "runsc-gofer"
