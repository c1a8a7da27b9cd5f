#!/usr/bin/env bash
# make check-camera: our Picamera2 adapter against the real Picamera2 and libcamera, on a camera that libcamera draws.
#
# libcamera's "virtual" pipeline (0.4.0, Debian trixie) shows a folder of JPEGs as a camera. It runs in a root folder of
# its own, build/camera-root, made once (700 MB on disk, two minutes) and used again; only our checkout is put in anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD/build/camera-root

skip() {
  echo "check-camera skipped: $1"
  exit 0
}

# What needs chroot's rights, in a mount namespace that takes its mounts along when it ends.
# The root sees no device of this machine, so that the virtual camera is the only one.
if [ "${1:-}" = --in-root ]; then
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/dev"
  for device in null zero full random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir "$root/dev/shm"
  # Whoever needs a certificate of their own to reach a package index has it in the machine's bundle.
  for file in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt; do
    if [ -f "$file" ]; then
      [ -f "$root$file" ] || { rm -f "$root$file" && touch "$root$file"; }
      mount --bind "$(readlink -f "$file")" "$root$file"
    fi
  done
  exec chroot "$root" env -u PYTHONPATH -u PYTHONHOME -u PIP_FIND_LINKS HOME=/root \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore sh -euc "$2"
fi
in_root() { unshare --mount --propagation private tests/checks/check_camera.sh --in-root "$1"; }

[ "$(id -u)" = 0 ] || skip "it needs root, for chroot: sudo make check-camera"
for tool in mmdebstrap unshare apt-get tar; do
  command -v "$tool" >/dev/null || skip "it needs $tool: sudo apt install -y mmdebstrap"
done
unshare --mount --propagation private true 2>/dev/null || skip "it may not make a mount namespace here"

if [ ! -e "$root/ready" ]; then
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' | sed -n 's/^Debian Debian //p' | sort -u | head -n 1)
  [ -n "$mirror" ] || skip "apt knows no Debian mirror here; on Debian: sudo apt update"
  echo "making Debian trixie with libcamera and Picamera2 in build/camera-root (once)"
  rm -rf "$root"
  mkdir -p build
  mmdebstrap --quiet --variant=apt --aptopt='APT::Install-Recommends "false"' \
    --include=ca-certificates,python3,python3-venv,python3-libcamera,libcamera-ipa,python3-prctl,gcc,libc6-dev,libpython3-dev \
    trixie "$root" "$mirror"
  # Debian has no python3-picamera2. Its requirements by hand, because its own list wants a desktop (PyQt) besides.
  in_root '
    python3 -m venv --system-site-packages /t/venv
    /t/venv/bin/pip install -q numpy av pillow piexif simplejpeg jsonschema videodev2 libarchive-c tqdm PiDNG OpenEXR setuptools
    /t/venv/bin/pip install -q --no-deps picamera2'
  touch "$root/ready"
fi

rm -rf "$root/t/edge-tl" "$root/t/frames"
mkdir -p "$root/t/edge-tl" "$root/t/frames" "$root/usr/share/libcamera/pipeline/virtual"
tar -c --exclude=__pycache__ --exclude='*.egg-info' pyproject.toml setup.py README.md LICENSE edge_tl device host_tools \
  tests/checks/udmabuf_shim.c tests/checks/check_camera_inside.py | tar -x --no-same-owner -C "$root/t/edge-tl"
cat >"$root/usr/share/libcamera/pipeline/virtual/virtual.yaml" <<'YAML'
%YAML 1.1
---
"Virtual0":
  supported_formats:
  - width: 640
    height: 480
    frame_rates:
    - 30
  frames:
    path: "/t/frames"
    scale_mode: "fill"
  location: "CameraLocationFront"
  model: "edge virtual"
YAML
in_root '
  cd /t
  venv/bin/pip install -q --no-build-isolation ./edge-tl
  gcc -std=gnu17 -Wall -Wextra -Werror -O2 -shared -fPIC -o udmabuf_shim.so edge-tl/tests/checks/udmabuf_shim.c
  LD_PRELOAD=/t/udmabuf_shim.so LIBCAMERA_LOG_LEVELS="${LIBCAMERA_LOG_LEVELS:-*:FATAL}" \
    timeout 180 venv/bin/python -I -W error::RuntimeWarning edge-tl/tests/checks/check_camera_inside.py /t/frames'
