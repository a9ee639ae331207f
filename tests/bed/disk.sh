# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Disks that boot by themselves, of Debian's GRUB and kernel; sourced by bed.sh.

# What a disk needs of GRUB, in $BED_CACHE/grub. The caller has the lock.
bed_fetch_grub()
{
    local new status=0 package
    new=$(mktemp -d "$BED_CACHE/new.XXXXXX")
    mkdir "$new/out"
    for package in grub-common grub-pc-bin; do
        (cd "$new" && bed_download "$package" && dpkg -x "$package"_*.deb all) || status=1
    done
    { [ $status = 0 ] && mv "$new/all/usr/bin/grub-mkimage" "$new/all/usr/lib/grub/i386-pc" "$new/out/" &&
        mv -T "$new/out" "$BED_CACHE/grub"; } || status=1
    rm -rf "$new"
    return $status
}

# bed_grub: prints the directory of it; 1 when it cannot be had.
bed_grub()
(
    mkdir -p "$BED_CACHE"
    exec 9> "$BED_CACHE/lock"
    flock 9
    [ -d "$BED_CACHE/grub" ] || bed_fetch_grub || exit 1
    echo "$BED_CACHE/grub"
)

# bed_boot_disk FILE KERNEL INITRD SWAP_MIB APPEND: a raw disk of two partitions. GRUB, which is embedded before them,
# boots the kernel from the first; the second is for swap. 1 when there is no GRUB to be had.
bed_boot_disk()
{
    local grub work boot_mib=64
    grub=$(bed_grub) || return 1
    work=$(mktemp -d)
    mkdir "$work/files"
    cp "$2" "$work/files/kernel"
    cp "$3" "$work/files/initrd"
    cat > "$work/config" << END
linux /kernel console=ttyS0 quiet loglevel=1 panic=1 $5
initrd /initrd
boot
END
    "$grub/grub-mkimage" -d "$grub/i386-pc" -O i386-pc -p '(hd0,msdos1)/' -c "$work/config" -o "$work/core" \
        biosdisk part_msdos ext2 linux boot &&
        truncate -s "${boot_mib}M" "$work/first" &&
        mke2fs -q -t ext2 -d "$work/files" "$work/first" &&
        bed_join_disk "$1" "$grub/i386-pc/boot.img" "$work/core" "$work/first" "$4"
    local status=$?
    rm -rf "$work"
    return $status
}

# bed_join_disk FILE BOOT CORE FIRST SWAP_MIB: GRUB's first sector and its core image, which looks for itself from the
# second sector on, a table of two partitions (82: swap), and the first of them
bed_join_disk()
{
    python3 -c '
import os, struct, sys
path, boot, core, first, swap_mib = sys.argv[1:]
begin = 1 << 20
size = os.stat(first).st_size
swap = int(swap_mib) << 20
entry = lambda kind, at, n: struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", at // 512, n // 512)
table = entry(0x83, begin, size) + entry(0x82, begin + size, swap)
assert os.stat(core).st_size < begin - 512
with open(path, "wb") as disk:
    disk.write(open(boot, "rb").read(440).ljust(446, b"\0") + table.ljust(64, b"\0") + b"\x55\xaa")
    disk.write(open(core, "rb").read())
    disk.seek(begin)
    disk.write(open(first, "rb").read())
    disk.truncate(begin + size + swap)' "$@"
}
