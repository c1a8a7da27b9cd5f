#!/usr/bin/env bash
# make check-aarch64: the wheel on aarch64, as on a Pi: Python 3.11 with tflite-runtime, Python 3.13 with LiteRT.
#
# qemu runs Debian's own aarch64 Python in a root folder each, build/aarch64-bookworm and build/aarch64-trixie (250 MB each,
# made once). What it embeds is compared with this machine's embedding of the same pictures. Times there mean nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() {
  echo "check-aarch64 skipped: $1"
  exit 0
}

[ "$(id -u)" = 0 ] || skip "it needs root, for chroot: sudo make check-aarch64"
for tool in mmdebstrap unshare apt-get qemu-aarch64-static; do
  command -v "$tool" >/dev/null || skip "it needs $tool: sudo apt install -y mmdebstrap qemu-user-static"
done
if [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
  [ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null \
    || skip "this kernel cannot be told to run aarch64 programs (binfmt_misc)"
  [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register
fi
mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' | sed -n 's/^Debian Debian //p' | sort -u | head -n 1)
[ -n "$mirror" ] || skip "apt knows no Debian mirror here; on Debian: sudo apt update"

wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
.venv/bin/python -m build --wheel --outdir "$wheels" . >/dev/null 2>&1
.venv/bin/python tests/checks/check_aarch64_inside.py embed "$wheels/here.npy"

# SUITE PYTHON PACKAGES…
check() {
  local suite=$1 python=$2 root=$PWD/build/aarch64-$1
  shift 2
  if [ ! -e "$root/ready" ]; then
    echo "making aarch64 $suite in build/aarch64-$suite (once)"
    rm -rf "$root"
    mkdir -p build
    mmdebstrap --quiet --variant=extract --architectures=arm64 \
      --include=python3-minimal,libpython3-stdlib,libstdc++6,libatomic1,zlib1g,libgomp1 "$suite" "$root" "$mirror"
    for folder in lib bin; do [ -e "$root/$folder" ] || ln -s "usr/$folder" "$root/$folder"; done
    mkdir -p "$root/t/site" "$root/tmp" "$root/proc" "$root/dev"
    .venv/bin/python -m pip install -q --only-binary=:all: --platform manylinux2014_aarch64 --platform manylinux_2_27_aarch64 \
      --platform manylinux_2_28_aarch64 --platform manylinux_2_34_aarch64 --platform manylinux_2_35_aarch64 \
      --implementation cp --python-version "$python" --target "$root/t/site" pillow starlette uvicorn typing_extensions "$@" 2>/dev/null
    touch "$root/ready"
  fi
  rm -rf "$root"/t/site/edge_tl* "$root"/t/site/device "$root"/t/site/host_tools
  .venv/bin/python -m pip install -q --no-deps --target "$root/t/site" --upgrade "$wheels"/*.whl
  cp tests/checks/check_aarch64_inside.py "$wheels/here.npy" "$root/t/"
  # Without the machine's /sys, which makes LiteRT think that it has other cores.
  unshare --mount --pid --fork --kill-child sh -euc "
    mount --make-rprivate /; mount -t proc proc '$root/proc'; mount -t tmpfs tmpfs '$root/tmp'; mount -t tmpfs tmpfs '$root/dev'
    for d in null zero random urandom; do touch '$root/dev/'\$d; mount --bind /dev/\$d '$root/dev/'\$d; done
    exec env -i HOME=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH=/t/site OMP_NUM_THREADS=1 \
      chroot '$root' /usr/bin/python$python /t/check_aarch64_inside.py all /t/here.npy"
}

check bookworm 3.11 'numpy<2' tflite-runtime
check trixie 3.13 numpy ai-edge-litert
