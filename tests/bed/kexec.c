/* SPDX-License-Identifier: GPL-2.0-or-later
 * Copyright (C) 2026 the memctxd authors
 * Runs in a test guest, linked statically: loads the kernel in /boot.
 *
 *   kexec now    and starts it in place of this one
 *   kexec crash  to be started by a panic (with crashkernel= on the command
 *                line)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    char line[2048] = "";
    const int crash = argc > 1 && strcmp(argv[1], "crash") == 0;
    const int kernel = open("/boot/kernel", O_RDONLY);
    const int initrd = open("/boot/initrd", O_RDONLY);
    const int own = open("/proc/cmdline", O_RDONLY);
    if (own < 0 || read(own, line, sizeof(line) - 64) <= 0) {
        perror("/proc/cmdline");
        return 1;
    }
    line[strcspn(line, "\n")] = '\0';
    /* The crash kernel has one CPU and needs no room for another one. */
    char *room = strstr(line, "crashkernel=");
    if (crash && room)
        memset(room, ' ', strcspn(room, " "));
    if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line,
                crash ? KEXEC_FILE_ON_CRASH : 0) < 0) {
        perror("kexec_file_load");
        return 1;
    }
    puts("MEMCTX kexec=loaded");
    fflush(stdout);
    if (!crash)
        syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
                LINUX_REBOOT_CMD_KEXEC, NULL);
    return 0;
}
