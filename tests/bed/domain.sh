# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Domains of the test bed: their XML, their life, and what their kernel says of itself; sourced by bed.sh.

# ---- XML ------------------------------------------------------------------------------------------------

bed_xml_backing()
{
    case "$1" in
        memfd) echo "<source type='memfd'/><access mode='shared'/>" ;;
        file) echo "<source type='file'/><access mode='shared'/>" ;;
        memfd-unshared) echo "<source type='memfd'/>" ;;
        shared) echo "<access mode='shared'/>" ;;
        anon) echo "<source type='anonymous'/>" ;;
        memfd-private) echo "<source type='memfd'/><access mode='private'/>" ;;
        file-private) echo "<source type='file'/><access mode='private'/>" ;;
        file-unshared) echo "<source type='file'/>" ;;
        hugepages) echo "<hugepages/>" ;;
        hugepages-shared) echo "<hugepages/><access mode='shared'/>" ;;
        hugepages-memfd) echo "<hugepages/><source type='memfd'/><access mode='shared'/>" ;;
        immediate) echo "<source type='memfd'/><access mode='shared'/><allocation mode='immediate'/>" ;;
        nosharepages) echo "<nosharepages/>" ;;
        discard) echo "<source type='file'/><access mode='shared'/><discard/>" ;;
        none) ;;
        *) bed_die "unknown backing $1" ;;
    esac
}

# bed_xml_numa CELLS MEMORY VCPUS: two cells of half the memory each, or those of the list "MIB:MIB:..."; the first
# has all CPUs.
bed_xml_numa()
{
    local cells=$1 id=0 mib cpus="cpus='0-$(($3 - 1))'"
    case "$cells" in
        1) return ;;
        2) cells=$(($2 / 2)):$(($2 / 2)) ;;
    esac
    echo "<numa>"
    for mib in ${cells//:/ }; do
        echo "<cell id='$id' $cpus memory='$((mib * 1024))' unit='KiB'/>"
        id=$((id + 1)) cpus=
    done
    echo "</numa>"
}

# bed_xml_dimm MIB [shared]: a DIMM in the first cell
bed_xml_dimm()
{
    [ "$1" != 0 ] || return 0
    echo "<memory model='dimm'${2:+ access='$2'}><target><size unit='MiB'>$1</size><node>0</node></target></memory>"
}

bed_xml_cpu()
{
    case "$1" in
        maximum) echo "<cpu mode='maximum'>$2</cpu>" ;;
        *) echo "<cpu mode='custom' match='exact' check='none'><model>$1</model>$2</cpu>" ;;
    esac
}

bed_xml_os()
{
    [ "${o[boot]}" != halt ] || echo "<boot dev='hd'/>"
    [ "${o[boot]}" = linux ] || return 0
    echo "<kernel>${o[kernel]}</kernel><initrd>${o[initrd]}</initrd>" \
         "<cmdline>console=$(bed_is_arm && echo ttyAMA0 || echo ttyS0) quiet loglevel=1 panic=1 ${o[append]}</cmdline>"
}

bed_is_arm() { [ "${o[arch]}" = aarch64 ]; }

# bed_xml_ports NAME: the console, whose output goes to a file, and a socket for commands. ARM has one port for both.
bed_xml_ports()
{
    local log socket="<source mode='bind' path='$BED_DIR/console/$1.sock'/>"
    log=$(bed_console "$1")
    if bed_is_arm; then
        echo "<serial type='unix'>$socket<log file='$log' append='on'/><target port='0'/></serial>"
    else
        echo "<serial type='file'><source path='$log' append='on'/><target port='0'/></serial>"
        echo "<serial type='unix'>$socket<target port='1'/></serial>"
    fi
}

# A boot sector that does nothing for ever: cli; hlt; jmp to the hlt
bed_halt_disk()
{
    local disk="$BED_DIR/home/halt.img"
    if [ ! -e "$disk" ]; then
        { printf '\372\364\353\375'; head -c 506 /dev/zero; printf '\125\252'; } > "$disk.new"
        truncate -s 1M "$disk.new"
        chmod 644 "$disk.new"
        mv "$disk.new" "$disk"
    fi
    echo "$disk"
}

bed_xml_disk()
{
    [ "${o[boot]}" = halt ] || return 0
    echo "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$(bed_halt_disk)'/>" \
         "<target dev='$(if [[ ${o[machine]} == *q35* ]]; then echo sda; else echo hda; fi)'/><readonly/></disk>"
}

bed_xml_args()
{
    local word
    [ -n "$1" ] || return 0
    echo "<qemu:commandline>"
    for word in $1; do echo "<qemu:arg value='$word'/>"; done
    echo "</qemu:commandline>"
}

# bed_domain_xml NAME [KEY=VALUE...]
#   arch=x86_64|aarch64 (then machine=virt)  machine=q35|pc|virt  memory=MiB  vcpus=N  cells=1|2|MIB:MIB:...  cpu=maximum|MODEL  uuid=UUID
#   dimm=MiB (needs cells, is not in memory)  dimm_access=shared  room=MiB (for DIMMs; 0: none)
#   backing=memfd|file|anon|none|shared|memfd-unshared|memfd-private|file-private|file-unshared|hugepages|hugepages-shared|hugepages-memfd|immediate|nosharepages|discard
#   boot=linux|firmware (nothing to boot: the firmware waits for ever)|halt (cli; hlt)  kernel=FILE  initrd=FILE  append=TEXT
#   devices=XML (further ones)  on_crash=destroy|restart|preserve|coredump-destroy|coredump-restart (with devices=<panic/>)
#   args="WORD..." (of QEMU's command line, behind libvirt's)
# ttyS0 is the console, a file; ttyS1 takes commands (bed_tell). On aarch64 ttyAMA0 is both.
bed_domain_xml()
{
    local name=$1 pair numa=
    local -A o=([arch]=x86_64 [machine]=q35 [memory]=512 [vcpus]=1 [cells]=1 [cpu]=maximum [uuid]="" [backing]=memfd
                [dimm]=0 [dimm_access]="" [room]=0 [devices]=""
                [boot]=linux [kernel]="" [initrd]="" [append]="" [args]="" [on_crash]=destroy)
    shift
    for pair in "$@"; do
        [ -n "${o[${pair%%=*}]+set}" ] || bed_die "unknown key of a domain: $pair"
        o[${pair%%=*}]=${pair#*=}
    done
    if [ "${o[boot]}" = linux ]; then
        : "${o[kernel]:=$(bed_kernel)}" "${o[initrd]:=$(bed_initramfs)}"
    fi
    numa=$(bed_xml_numa "${o[cells]}" "${o[memory]}" "${o[vcpus]}")
    cat <<END
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>$name</name>
  ${o[uuid]:+<uuid>${o[uuid]}</uuid>}
  $([ "${o[room]}" = 0 ] || echo "<maxMemory slots='4' unit='MiB'>$((${o[memory]} + ${o[room]}))</maxMemory>")
  <memory unit='MiB'>${o[memory]}</memory>
  <memoryBacking>$(bed_xml_backing "${o[backing]}")</memoryBacking>
  <vcpu>${o[vcpus]}</vcpu>
  <os><type arch='${o[arch]}' machine='${o[machine]}'>hvm</type>$(bed_xml_os)</os>
  $(bed_is_arm || echo "<features><acpi/></features>")
  $(bed_xml_cpu "${o[cpu]}" "$numa")
  <on_reboot>restart</on_reboot>
  <on_crash>${o[on_crash]}</on_crash>
  <devices>
    <controller type='usb' model='none'/>
    $(bed_xml_disk)
    $(bed_xml_ports "$name")
    <memballoon model='none'/>
    $(bed_xml_dimm "${o[dimm]}" "${o[dimm_access]}")
    ${o[devices]}
  </devices>
  $(bed_xml_args "${o[args]}")
</domain>
END
}

# ---- life -----------------------------------------------------------------------------------------------

# bed_create NAME [paused=yes] [KEY=VALUE...]: a transient domain; keys as in bed_domain_xml.
bed_create()
{
    local name=$1 pair keys=() flags=()
    shift
    for pair in "$@"; do
        if [ "$pair" = paused=yes ]; then flags=(--paused); else keys+=("$pair"); fi
    done
    rm -f "$(bed_console "$name")"
    bed_domain_xml "$name" "${keys[@]}" > "$BED_DIR/config/$name.xml"
    bed_virsh create "$BED_DIR/config/$name.xml" "${flags[@]}" > /dev/null
}

# bed_wait_halt NAME SECONDS: a guest with boot=halt is out of its firmware. Who writes into its RAM before that may write
# over what the firmware runs on; the guest then resets.
bed_wait_halt() { bed_until "$2" bed_sits_in_halt "$1"; }
bed_sits_in_halt() { bed_virsh qemu-monitor-command "$1" --hmp 'info registers' | grep -q 'IP=0*7c0'; }

bed_destroy() { bed_virsh destroy "$1" > /dev/null; }
bed_console() { echo "$BED_DIR/console/$1.log"; }
bed_uuid() { bed_virsh domuuid "$1" | tr -d '\n'; }
bed_pid() { cat "$BED_DIR/run/libvirt/qemu/run/$1.pid"; }
bed_datum() { bed_virsh metadata "$1" "$BED_NS"; }

# bed_tell NAME reboot|poweroff|halt|freeze|panic|tasks|messages|odd|facts|flood|torrent|bomb|hibernate|kexec|load|crash
# [SECONDS]: the guest does it by itself, without libvirt, if it hears it in so many seconds (60). hibernate needs a disk of
# bed_boot_disk; the last three initrd=$(bed_kexec_initramfs), and load (of a crash kernel) and crash a crashkernel= on the
# command line.
#
# ARM's port takes byte after byte, and QEMU drops those that wait when the socket closes.
bed_tell()
{
    local linger=0
    ! grep -q "arch='aarch64'" "$BED_DIR/config/$1.xml" || linger=2
    bed_as_user python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode() + b"\n")
# QEMU drops what its port has not taken yet when we leave: wait for the echo.
s.settimeout(int(sys.argv[4]))
try:
    for _ in range(64):
        echo = s.recv(64)
        if not echo or b"\n" in echo:
            break
except OSError:
    pass
time.sleep(int(sys.argv[3]))' "$BED_DIR/console/$1.sock" "$2" $linger "${3:-60}"
}

bed_said_more() { [ "$(grep -ac "^$2" "$1")" -gt "$3" ]; }

# bed_ask NAME COMMAND SECONDS [WORDS]: tell the guest, and wait so long until it has done so, whose end it prints. A guest
# that has just come up may not hear yet, so it is told again. WORDS is the command with its argument.
bed_ask()
{
    local console before
    console=$(bed_console "$1")
    for _ in 1 2 3; do
        before=$(grep -ac "^MEMCTX $2 end" "$console") || true
        bed_tell "$1" "${4:-$2}"
        ! bed_until "$3" bed_said_more "$console" "MEMCTX $2 end" "$before" || return 0
    done
    return 1
}

# bed_ram_fd NAME: prints the /proc path of the descriptor by which QEMU holds the guest's RAM.
bed_ram_fd()
{
    local pid fd
    pid=$(bed_pid "$1")
    for fd in "/proc/$pid/fd/"*; do
        case "$(readlink "$fd")" in
            *memfd:memory-backend-memfd*|*/libvirt/qemu/ram/*|*qemu_back_mem*) echo "$fd"; return ;;
        esac
    done
    return 1
}

# bed_page NAME GPA LOW: prints the page of RAM at GPA, a multiple of the page size.
bed_page()
{
    local offset=$(($2 < $3 ? $2 : $3 + $2 - 0x100000000))
    dd if="$(bed_ram_fd "$1")" bs=4096 skip=$((offset / 4096)) count=1 status=none
}

bed_ups() { grep -c '^GUEST-UP' "$(bed_console "$1")" 2> /dev/null || true; }
bed_is_up() { [ "$(bed_ups "$1")" -ge "$2" ]; }

# bed_wait_up NAME TIMEOUT [NTH]: until the guest came up for the NTH time in this run. One that got less than half of a
# processor meanwhile, and wanted it, has not had the time that was meant: it is waited for again, ten times at most.
bed_wait_up()
{
    local round cpu_ms
    for ((round = 0; round < 10; round++)); do
        cpu_ms=$(bed_cpu_ms "$(bed_pid "$1")" 2> /dev/null) || cpu_ms=0
        ! bed_until "$2" bed_is_up "$1" "${3:-1}" || return 0
        cpu_ms=$(($(bed_cpu_ms "$(bed_pid "$1")" 2> /dev/null || echo 0) - cpu_ms))
        # A guest that waits for ever takes some permille.
        [ $cpu_ms -lt $(($2 * 500)) ] && [ $cpu_ms -gt $(($2 * 50)) ] || return 1
    done
    return 1
}

# bed_reset NAME: and say for which of its boots of this run bed_wait_up is to wait: what a guest says after this comes
# from the new one, and those before may have been too short for a word.
bed_reset()
{
    bed_virsh reset "$1" > /dev/null
    echo $(($(bed_ups "$1") + 1))
}

# ---- truth ----------------------------------------------------------------------------------------------

# What the guest said when it came up last, without carriage returns.
bed_said()
{
    tr -d '\r' < "$(bed_console "$1")" |
        awk '/^MEMCTX begin/ { said = "" } /^MEMCTX / { said = said substr($0, 8) "\n" } END { printf "%s", said }'
}

# The split as QEMU computes it (hw/i386/pc_piix.c, pc_q35.c), in bytes.
bed_low()
{
    local machine=$1 ram=$2 low
    case "$machine" in
        *q35*) low=$((ram >= 0xb0000000 ? 0x80000000 : 0xb0000000)) ;;
        *) low=$((ram >= 0xe0000000 ? 0xc0000000 : 0xe0000000)) ;;
    esac
    echo $((low < ram ? low : ram))
}

# Does the firmware's memory map, as the guest got it, agree with the split: is the RAM from 4 GiB on all that
# is not below? bed_e820_agrees SAID RAM LOW
bed_e820_agrees()
{
    local range high=0
    while read -r range; do
        [ $((${range%-*})) -lt $((0x100000000)) ] || high=$((high + ${range#*-} - ${range%-*} + 1))
    done < <(bed_field ram <<< "$1")
    [ "$high" = $(($2 - $3)) ]
}

# bed_root NAME: prints kcr3 alone, however its RAM is laid out.
bed_root()
{
    local said pgd
    said=$(bed_said "$1")
    pgd=$(bed_field swapper_pg_dir <<< "$said")
    printf '%#x\n' $((${pgd:-$(bed_field init_top_pgt <<< "$said")} - $(bed_field _text <<< "$said") +
        $(bed_field code <<< "$said")))
}

# bed_said_paging SAID: what the kernel's release and flags say of its page tables
bed_said_paging()
{
    case "$(bed_field release <<< "$1")/$(bed_field la57 <<< "$1")" in
        *-686-pae/*) echo x86-pae ;;
        *-686/*) echo x86-2level ;;
        */1) echo x86_64-5level ;;
        *) echo x86_64-4level ;;
    esac
}

# bed_noted_pgd NAME GPA LOW: swapper_pg_dir as VMCOREINFO has it, where kallsyms has no data (i386)
bed_noted_pgd() { bed_page "$@" | grep -aom 1 'SYMBOL(swapper_pg_dir)=[0-9a-f]*' | sed 's/.*=/0x/'; }

# bed_truth NAME: prints kcr3, paging, low, release and more as KEY=VALUE lines, the guest being up.
bed_truth()
{
    local name=$1 said xml ram low line
    local -A t=()
    said=$(bed_said "$name")
    while IFS= read -r line; do t[${line%%=*}]=${line#*=}; done <<< "$said"
    xml="$BED_DIR/config/$name.xml"
    ram=$(($(sed -n "s:.*<memory unit='MiB'>\(.*\)</memory>:\1:p" "$xml") << 20))
    low=$(bed_low "$(sed -n "s/.*machine='\([^']*\)'.*/\1/p" "$xml")" "$ram")
    bed_e820_agrees "$said" "$ram" "$low" || bed_die "the firmware of $name and we disagree on the split"

    local pgd=${t[swapper_pg_dir]:-${t[init_top_pgt]-}} text=${t[_text]} code=${t[code]}
    [ -n "$pgd" ] || pgd=$(bed_noted_pgd "$name" $((${t[vmcoreinfo]%% *})) "$low")
    printf 'kcr3=%#x\n' $((pgd - text + code))
    echo "paging=$(bed_said_paging "$said")"
    printf 'low=%#x\n' "$low"
    printf 'ram=%#x\n' "$ram"
    echo "release=${t[release]}"
    echo "buildid=${t[buildid]}"
    printf 'text=%#x\nstext=%#x\ncode=%#x\n' "$text" "${t[_stext]}" "$code"
    # x86-64: link address 0xffffffff81000000, kernel map from 0xffffffff80000000; i386 tells neither
    if [[ ${t[release]} != *-686* ]]; then
        printf 'kaslr_offset=0x%x\n' $((text - 0xffffffff81000000))
        echo "phys_base=$(bed_signed_hex $((code - (text - 0xffffffff80000000))))"
    fi
    printf 'vmcoreinfo=%#x\n' $((${t[vmcoreinfo]%% *}))
}

bed_signed_hex()
{
    if [ "$1" -lt 0 ]; then printf -- '-0x%x' $((-$1)); else printf '0x%x' "$1"; fi
}

# bed_field KEY: reads KEY=VALUE lines, prints the value.
bed_field() { sed -n "s/^$1=//p"; }

# ---- huge pages -----------------------------------------------------------------------------------------

# bed_huge_grow PAGES: the machine's pool of huge pages by so many, less when negative; 1 when it stays as it was. The
# caller has the lock: another bed may have pages of its own in it.
bed_huge_grow()
{
    local pool=/proc/sys/vm/nr_hugepages before
    before=$(cat $pool)
    echo $((before + $1)) 2> /dev/null > $pool || return 1
    [ "$(cat $pool)" -lt $((before + $1)) ] || return 0
    echo "$before" > $pool
    return 1
}

# bed_huge_take MIB: a pool of 2 MiB pages and a mount for the user; 1 when this machine gives none.
bed_huge_take()
{
    local pages=$(($1 / 2))
    [ "$(id -u)" = 0 ] && [ -w /proc/sys/vm/nr_hugepages ] && grep -qw hugetlbfs /proc/filesystems || return 1
    bed_locked bed_huge_grow $pages || return 1
    BED_HUGE_PAGES=$pages
    mount -t hugetlbfs -o "uid=$(id -u "$BED_USER"),mode=700,pagesize=2M" none "$BED_DIR/huge" 2> /dev/null
}

bed_huge_release()
{
    [ -n "${BED_HUGE_PAGES-}" ] || return 0
    umount "$BED_DIR/huge" 2> /dev/null || true
    bed_locked bed_huge_grow $((-BED_HUGE_PAGES)) || true
    BED_HUGE_PAGES=
}

bed_has_huge() { [ -n "${BED_HUGE_PAGES-}" ]; }
