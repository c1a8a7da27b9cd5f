#!/usr/bin/env bash
# make check-systemd: the wheel installed by `edge-tl install-service` under a real systemd that has booted.
#
# Debian bookworm (the Python of a Pi's Bookworm) in a root folder of its own, build/systemd-root, made once (250 MB and
# what pip brings) and used again. systemd boots in it as PID 1 of its own namespaces; the network is this machine's.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD/build/systemd-root
group=edge-tl-check

skip() {
  echo "check-systemd skipped: $1"
  exit 0
}

# The mounts of the booted system, in namespaces that take them along when they end.
if [ "${1:-}" = --boot ]; then
  mount --make-rprivate /
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  for folder in run tmp dev; do mount -t tmpfs tmpfs "$root/$folder"; done
  for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir -p "$root/dev/pts" "$root/dev/shm"
  mount -t devpts devpts "$root/dev/pts" -o newinstance
  ln -s /proc/self/fd "$root/dev/fd"
  for file in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt; do
    if [ -f "$file" ]; then
      [ -f "$root$file" ] || { rm -f "$root$file" && touch "$root$file"; }
      mount --bind "$(readlink -f "$file")" "$root$file"
    fi
  done
  mount -t sysfs sysfs "$root/sys" -o ro
  mount -t cgroup2 none "$root/sys/fs/cgroup"
  exec chroot "$root" env -i container=edge-tl /lib/systemd/systemd --log-target=null
fi

[ "$(id -u)" = 0 ] || skip "it needs root, for namespaces: sudo make check-systemd"
for tool in mmdebstrap unshare nsenter apt-get; do
  command -v "$tool" >/dev/null || skip "it needs $tool: sudo apt install -y mmdebstrap"
done
unshare --mount --pid --fork --cgroup --uts --ipc true 2>/dev/null || skip "it may not make namespaces here"

if [ ! -e "$root/ready" ]; then
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' | sed -n 's/^Debian Debian //p' | sort -u | head -n 1)
  [ -n "$mirror" ] || skip "apt knows no Debian mirror here; on Debian: sudo apt update"
  echo "making Debian bookworm with systemd in build/systemd-root (once)"
  rm -rf "$root"
  mkdir -p build
  mmdebstrap --quiet --variant=apt --aptopt='APT::Install-Recommends "false"' \
    --include=ca-certificates,systemd,dbus,python3,python3-venv,passwd bookworm "$root" "$mirror"
  touch "$root/ready"
fi

# Nothing of the run before, but what pip brought.
rm -rf "$root"/opt/edge-tl "$root"/var/lib/edge-tl "$root"/etc/edge-tl.toml "$root"/etc/systemd/system/edge-tl.service* "$root"/t/wheels
chroot "$root" userdel edge-tl 2>/dev/null || true
mkdir -p "$root/t/wheels"
.venv/bin/python -m build --wheel --outdir "$root/t/wheels" . >/dev/null
cp tests/checks/check_systemd_inside.py "$root/t/"

# A subtree of its own, so that systemd there manages nothing of this machine.
tree=$(mktemp -d)
mount -t cgroup2 none "$tree" || skip "there is no cgroup2 here"
mkdir -p "$tree/$group"
cleanup() {
  [ -z "${init:-}" ] || kill -9 "$init" 2>/dev/null || true
  wait 2>/dev/null || true
  find "$tree/$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  umount "$tree" && rmdir "$tree"
}
trap cleanup EXIT
( echo 0 >"$tree/$group/cgroup.procs"; exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc tests/checks/check_systemd.sh --boot ) 2>/dev/null &
outer=$!
init=
for _ in $(seq 100); do
  init=$(pgrep -P "$outer" -f /lib/systemd/systemd || true)
  [ -n "$init" ] && break
  sleep 0.1
done
[ -n "$init" ] || { echo "check-systemd: systemd did not start"; exit 1; }
inside() { nsenter -t "$init" -m -p -C -u -i -r -w env -u PIP_FIND_LINKS -u PYTHONPATH HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
# Until the boot is over, not only begun: its last steps empty /tmp.
state=
for _ in $(seq 300); do
  state=$(inside systemctl is-system-running 2>/dev/null || true)
  case "$state" in running | degraded) break ;; esac
  sleep 0.2
done
case "$state" in running | degraded) ;; *) echo "check-systemd: the boot did not end (${state:-no answer})"; exit 1 ;; esac
inside python3 /t/check_systemd_inside.py
