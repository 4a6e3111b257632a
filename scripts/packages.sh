# shellcheck shell=bash
# Debian packages that building and testing need, and how to get them. Sourced by the other scripts.

# What the compiler and the build need.
packages_build=(gcc libc6-dev meson ninja-build pkg-config python3 libseccomp-dev libcap-dev libjson-c-dev libbsd-dev)
# What a container of the quickstart needs.
packages_demo=(busybox-static)
# What the tests need on top.
packages_test=(libcriterion-dev busybox-static procps util-linux clang-format)
# What only the whole run needs: Docker's tests, the comparison with runc.
packages_wide=(runc docker.io containerd iptables iproute2 debootstrap strace)

say() { printf '%s\n' "$*" >&2; }

# A package counts as there if dpkg has it, or if the programs that it is wanted for are there anyway.
package_present() {
    local status
    case $1 in
    iproute2) command -v ip >/dev/null && return 0 ;;
    docker.io) command -v dockerd >/dev/null && command -v docker >/dev/null && return 0 ;;
    containerd) command -v containerd >/dev/null && return 0 ;;
    gcc) command -v gcc >/dev/null && return 0 ;;
    pkg-config) command -v pkg-config >/dev/null && return 0 ;;
    meson) command -v meson >/dev/null && return 0 ;;
    ninja-build) command -v ninja >/dev/null && return 0 ;;
    runc | strace | debootstrap | iptables) command -v "$1" >/dev/null && return 0 ;;
    esac
    status=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) && [ "$status" = installed ]
}

# packages_missing NAME… - prints those that are not there, one a line.
packages_missing() {
    local name
    for name in "$@"; do
        package_present "$name" || printf '%s\n' "$name"
    done
}

# packages_install NAME… - installs what is missing. Return: 0 if all are there afterwards; else 1, having said why.
packages_install() {
    local missing log
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -eq 0 ] && return 0
    if ! command -v apt-get >/dev/null; then
        say "missing: ${missing[*]} (this is not Debian: install what holds them by hand)"
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        say "missing: ${missing[*]} (not root: run 'apt-get install ${missing[*]}' as root first)"
        return 1
    fi
    say "installing: ${missing[*]}"
    log=$(mktemp)
    # The package lists may be absent or stale: install, and if that fails fetch new lists and try once more.
    if ! apt_install "${missing[@]}" >"$log" 2>&1; then
        if ! { apt-get -q update && apt_install "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
            tail -n 5 "$log" >&2
            rm -f "$log"
            mapfile -t missing < <(packages_missing "$@")
            say "missing: ${missing[*]} (apt-get could not install them: see above)"
            return 1
        fi
    fi
    rm -f "$log"
}

# Daemons that a package brings must not start by themselves on the machine that runs the tests.
apt_install() {
    local policy=/usr/sbin/policy-rc.d made=0 status=0
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && made=1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o Dpkg::Options::=--force-confold install "$@" </dev/null || status=$?
    [ $made -eq 1 ] && rm -f $policy
    return $status
}
