#!/usr/bin/env bash
# bare_root.sh NAME INSIDE.py: run a check by a user who is not root on a bare Debian, with a bundle of this commit at /t.
#
# Debian bookworm with python3, python3-venv, make and git, and nothing else, in a root folder of its own,
# build/newcomer-root, made once (250 MB) and used again; the home folder is new each time. The network is this machine's.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD/build/newcomer-root
name=$1 inside=$2

skip() {
  echo "$name skipped: $1"
  exit 0
}

[ "$(id -u)" = 0 ] || skip "it needs root, for chroot: sudo make $name"
for tool in mmdebstrap unshare apt-get git; do
  command -v "$tool" >/dev/null || skip "it needs $tool: sudo apt install -y mmdebstrap git"
done
if [ ! -e "$root/ready" ]; then
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' | sed -n 's/^Debian Debian //p' | sort -u | head -n 1)
  [ -n "$mirror" ] || skip "apt knows no Debian mirror here; on Debian: sudo apt update"
  echo "making a bare Debian bookworm in build/newcomer-root (once)"
  rm -rf "$root"
  mkdir -p build
  mmdebstrap --quiet --variant=minbase --aptopt='APT::Install-Recommends "false"' \
    --include=ca-certificates,passwd,python3,python3-venv,make,git bookworm "$root" "$mirror"
  chroot "$root" useradd --create-home --shell /bin/bash newcomer
  touch "$root/ready"
fi
rm -rf "$root/home/newcomer" "$root/t"
mkdir -p "$root/home/newcomer" "$root/t"
git bundle create -q "$root/t/edge-tl.bundle" HEAD
cp "tests/checks/$inside" "$root/t/"
chroot "$root" chown -R newcomer:newcomer /home/newcomer /t

# No mount of this outlives it.
unshare --mount --pid --fork --kill-child bash -euc "
  mount --make-rprivate /
  mount -t proc proc '$root/proc'
  for folder in tmp dev run; do mount -t tmpfs tmpfs '$root/'\$folder; done
  chmod 1777 '$root/tmp'
  for device in null zero random urandom tty; do touch '$root/dev/'\$device; mount --bind /dev/\$device '$root/dev/'\$device; done
  mkdir -p '$root/dev/pts' '$root/dev/shm'; mount -t devpts devpts '$root/dev/pts' -o newinstance,ptmxmode=0666
  ln -s pts/ptmx '$root/dev/ptmx'; ln -s /proc/self/fd '$root/dev/fd'; chmod 1777 '$root/dev/shm'
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /etc/pip.conf; do
    [ -f \$file ] || continue
    [ -f '$root'\$file ] || { rm -f '$root'\$file && touch '$root'\$file; }
    mount --bind \$(readlink -f \$file) '$root'\$file
  done
  exec env -u PIP_FIND_LINKS -u PYTHONPATH -u EDGE_TL_DATA HOME=/home/newcomer USER=newcomer LANG=C.UTF-8 TERM=xterm-256color \
    PATH=/usr/bin:/bin:/usr/sbin chroot --userspec=newcomer:newcomer '$root' /usr/bin/python3 /t/$inside
"
