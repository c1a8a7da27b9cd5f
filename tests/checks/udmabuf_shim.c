// SPDX-License-Identifier: Apache-2.0
// LD_PRELOAD for tests/checks/check_camera.sh: shared memory in place of the kernel's dma-bufs.
//
// libcamera's virtual camera takes its buffers from /dev/udmabuf, Picamera2 opens a DMA heap; kernels of virtual
// machines often have neither. Here both paths open /dev/null, and the requests that make a buffer are answered with
// a memfd, which is mapped, duplicated and sent about just like a dma-buf. Nothing else is touched.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *instead(const char *path)
{
	int replaced = path && (!strcmp(path, "/dev/udmabuf") || !strcmp(path, "/dev/dma_heap/linux,cma"));
	return replaced ? "/dev/null" : path;
}

// Python and libcamera are built for 64-bit file offsets and call open64; plain open is for whoever else is inside.
#define REPLACE_OPEN(name)                                                              \
	int name(const char *path, int flags, ...)                                      \
	{                                                                               \
		static int (*next)(const char *, int, ...);                             \
		if (!next)                                                              \
			next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name); \
		va_list rest;                                                           \
		va_start(rest, flags);                                                  \
		mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
		va_end(rest);                                                           \
		return next(instead(path), flags, mode);                                \
	}

REPLACE_OPEN(open)
REPLACE_OPEN(open64)

static int allocate(struct dma_heap_allocation_data *wanted)
{
	int memory = memfd_create("dma heap", MFD_CLOEXEC);
	if (memory < 0)
		return -1;
	if (ftruncate(memory, (off_t)wanted->len)) {
		int reason = errno;
		close(memory);
		errno = reason;
		return -1;
	}
	wanted->fd = (__u32)memory;
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*next)(int, unsigned long, ...);
	va_list rest;
	va_start(rest, request);
	void *argument = va_arg(rest, void *);
	va_end(rest);
	// Python passes the request as a signed int, so that its upper half may be all ones.
	switch ((unsigned int)request) {
	case UDMABUF_CREATE:
		// The caller closes its memfd and keeps the dma-buf.
		return fcntl((int)((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);
	case DMA_HEAP_IOCTL_ALLOC:
		return allocate(argument);
	case DMA_BUF_IOCTL_SYNC:
	case (unsigned int)DMA_BUF_SET_NAME_A:
	case (unsigned int)DMA_BUF_SET_NAME_B:
		// Shared memory has no caches to flush, and needs no name.
		return 0;
	}
	if (!next)
		next = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	return next(fd, request, argument);
}
