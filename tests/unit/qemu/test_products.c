/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Command lines of QEMU as products write them. Where RAM is was compared with
 * "info mtree -f" of QEMU 7.2, started with the arguments that decide it (its
 * own name in place of a distribution's machine type). */
#include "unit.h"

#include <inttypes.h>

#include "qemu/cmdline.h"
#include "qemu/layout.h"

#define UUID "5a1b6f0e-2c3d-4e5f-8a9b-0c1d2e3f4a5b"

/* What all command lines of one management have. */
#define PROXMOX                                                  \
    "/usr/bin/kvm|-id|100|-name|web,debug-threads=on|"           \
    "-no-shutdown|-chardev|socket,id=qmp,path=/var/run/"         \
    "qemu-server/100.qmp,server=on,wait=off|-mon|chardev=qmp,"   \
    "mode=control|-chardev|socket,id=qmp-event,path=/var/run/"   \
    "qmeventd.sock,reconnect=5|-mon|chardev=qmp-event,"          \
    "mode=control|-pidfile|/var/run/qemu-server/100.pid|"        \
    "-daemonize|-smbios|type=1,"                                 \
    "uuid=" UUID "|-smp|4,"                                      \
    "sockets=1,cores=4,maxcpus=4|-nodefaults|-boot|menu=on,"     \
    "strict=on,reboot-timeout=1000,splash=/usr/share/"           \
    "qemu-server/bootsplash.jpg|-vnc|unix:/var/run/qemu-server/" \
    "100.vnc,password=on|"
#define LIBVIRT_HEAD                                       \
    "-name|guest=x,debug-threads=on|-S|-object|"           \
    "{\"qom-type\":\"secret\",\"id\":\"masterKey0\","      \
    "\"format\":\"raw\",\"file\":\"/var/lib/libvirt/qemu/" \
    "domain-1-x/master-key.aes\"}|"
#define LIBVIRT_TAIL                                             \
    "-overcommit|mem-lock=off|-smp|2,sockets=2,cores=1,"         \
    "threads=1|-uuid|" UUID "|"                                  \
    "-no-user-config|-nodefaults|-chardev|socket,"               \
    "id=charmonitor,fd=30,server=on,wait=off|-mon|"              \
    "chardev=charmonitor,id=monitor,mode=control|-rtc|base=utc|" \
    "-no-shutdown|-boot|strict=on|-sandbox|on,obsolete=deny,"    \
    "elevateprivileges=deny,spawn=deny,resourcecontrol=deny|"    \
    "-msg|timestamp=on"

static const struct {
    const char *product;
    const char *args;   /* '|' between them */
    const char *ranges; /* of RAM, those that adjoin as one */
} lines[] = {
    {"Proxmox pc 4G",
     PROXMOX "-cpu|kvm64,enforce,+kvm_pv_eoi,+kvm_pv_unhalt,+lahf_lm,+sep|"
             "-m|4096|-device|pci-bridge,id=pci.1,chassis_nr=1,bus=pci.0,"
             "addr=0x1e|-machine|type=pc+pve0",
     "0-c0000000 100000000-140000000"},
    {"Proxmox pinned 2G",
     PROXMOX "-cpu|host,+kvm_pv_eoi,+kvm_pv_unhalt|-m|2048|-machine|"
             "accel=kvm,type=pc-i440fx-7.2+pve0",
     "0-80000000"},
    {"Proxmox q35 numa 8G",
     PROXMOX "-cpu|x86-64-v2-AES|-m|8192|-object|"
             "memory-backend-ram,id=ram-node0,size=8192M|-numa|"
             "node,nodeid=0,cpus=0-3,memdev=ram-node0|-readconfig|"
             "/usr/share/qemu-server/pve-q35-4.0.cfg|-machine|type=q35+pve0",
     "0-80000000 100000000-280000000"},
    {"Proxmox hotplug",
     PROXMOX "-m|size=1024,slots=255,maxmem=65536M|-object|"
             "memory-backend-ram,id=ram-node0,size=1024M|-numa|"
             "node,nodeid=0,cpus=0-3,memdev=ram-node0|-object|"
             "memory-backend-ram,id=mem-dimm0,size=512M|-device|"
             "pc-dimm,id=dimm0,memdev=mem-dimm0,node=0|-machine|type=pc+pve0",
     "0-40000000 100000000-120000000"},
    {"OpenStack Nova 8G q35",
     "/usr/bin/qemu-system-x86_64|" LIBVIRT_HEAD "-machine|"
     "pc-q35-7.2,usb=off,dump-guest-core=off,memory-backend=pc.ram|"
     "-accel|kvm|-cpu|Cascadelake-Server-noTSX,vmx=on|-m|8192|"
     "-object|{\"qom-type\": \"memory-backend-ram\", \"id\": "
     "\"pc.ram\", \"size\": 8589934592}|" LIBVIRT_TAIL,
     "0-80000000 100000000-280000000"},
    {"OpenStack Nova pc 2G",
     "/usr/bin/qemu-system-x86_64|" LIBVIRT_HEAD "-machine|"
     "pc-i440fx-6.2,accel=kvm,usb=off,dump-guest-core=off,"
     "memory-backend=pc.ram|-m|2048|-object|"
     "{\"qom-type\": \"memory-backend-ram\", \"id\": \"pc.ram\", "
     "\"size\": 2147483648}|" LIBVIRT_TAIL,
     "0-80000000"},
    {"OpenStack hugepages 2 cells",
     "/usr/libexec/qemu-kvm|" LIBVIRT_HEAD "-machine|"
     "pc-i440fx-7.2,usb=off,dump-guest-core=off|-m|16384|-object|"
     "{\"qom-type\":\"memory-backend-file\",\"id\":\"ram-node0\","
     "\"mem-path\":\"/dev/hugepages/libvirt/qemu/1-x\","
     "\"share\":true,\"prealloc\":true,\"size\":8589934592,"
     "\"host-nodes\":[0],\"policy\":\"bind\"}|-numa|"
     "node,nodeid=0,cpus=0,memdev=ram-node0|-object|"
     "{\"qom-type\":\"memory-backend-file\",\"id\":\"ram-node1\","
     "\"mem-path\":\"/dev/hugepages/libvirt/qemu/1-x\","
     "\"share\":true,\"prealloc\":true,\"size\":8589934592,"
     "\"host-nodes\":[1],\"policy\":\"bind\"}|-numa|"
     "node,nodeid=1,cpus=1,memdev=ram-node1|" LIBVIRT_TAIL,
     "0-c0000000 100000000-440000000"},
    {"oVirt rhel8.6 4G maxmem",
     "/usr/libexec/qemu-kvm|" LIBVIRT_HEAD "-machine|"
     "pc-q35-rhel8.6.0,usb=off,dump-guest-core=off|-accel|kvm|-m|"
     "size=4194304k,slots=16,maxmem=16777216k|-object|"
     "{\"qom-type\": \"memory-backend-ram\", \"id\": \"ram-node0\", "
     "\"size\": 4294967296}|-numa|node,nodeid=0,cpus=0-1,"
     "memdev=ram-node0|" LIBVIRT_TAIL,
     "0-80000000 100000000-180000000"},
    {"KubeVirt rhel9.2 1G",
     "/usr/libexec/qemu-kvm|" LIBVIRT_HEAD "-machine|"
     "pc-q35-rhel9.2.0,usb=off,dump-guest-core=off,"
     "memory-backend=pc.ram,acpi=on|-accel|kvm|-cpu|"
     "Haswell-noTSX-IBRS,vmx=on|-m|size=1048576k|-object|"
     "{\"qom-type\": \"memory-backend-ram\", \"id\": \"pc.ram\", "
     "\"size\": 1073741824}|" LIBVIRT_TAIL,
     "0-40000000"},
    {"KubeVirt 6G memfd",
     "/usr/libexec/qemu-kvm|" LIBVIRT_HEAD "-machine|"
     "pc-q35-rhel9.4.0,usb=off,dump-guest-core=off,"
     "memory-backend=pc.ram,acpi=on|-m|size=6291456k|-object|"
     "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"pc.ram\","
     "\"share\":true,\"x-use-canonical-path-for-ramblock-id\":false,"
     "\"size\":6442450944}|" LIBVIRT_TAIL,
     "0-80000000 100000000-200000000"},
    {"quickemu linux 8G",
     "/usr/bin/qemu-system-x86_64|-name|"
     "ubuntu-24.04,process=ubuntu-24.04|-machine|"
     "q35,smm=off,vmport=off,accel=kvm|-global|"
     "kvm-pit.lost_tick_policy=discard|-cpu|host,topoext|-smp|"
     "cores=4,threads=2,sockets=1|-m|8G|-device|virtio-balloon|-rtc|"
     "base=utc,clock=host|-pidfile|ubuntu/ubuntu.pid|-vga|none|"
     "-device|virtio-vga-gl,xres=1280,yres=800|-display|sdl,gl=on",
     "0-80000000 100000000-280000000"},
    {"quickemu windows smm 4G",
     "/usr/bin/qemu-system-x86_64|-name|"
     "windows-11,process=windows-11|-machine|"
     "q35,smm=on,vmport=off,accel=kvm,hpet=off|-global|"
     "kvm-pit.lost_tick_policy=discard|-global|"
     "ICH9-LPC.disable_s3=1|-cpu|host,hv_relaxed,hv_vapic,"
     "hv_spinlocks=0x1fff|-m|4G|-global|"
     "driver=cfi.pflash01,property=secure,value=on",
     "0-80000000 100000000-180000000"},
    {"OSX-KVM 4096",
     "qemu-system-x86_64|-enable-kvm|-m|4096|-cpu|"
     "Skylake-Client,-hle,-rtm,kvm=on,vendor=GenuineIntel,+invtsc,"
     "vmware-cpuid-freq=on|-machine|q35|-device|qemu-xhci,id=xhci|"
     "-device|usb-kbd,bus=xhci.0|-global|nec-usb-xhci.msi=off|"
     "-global|ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off|"
     "-smp|4,cores=2,sockets=1|-device|"
     "isa-applesmc,"
     "osk=ourhardworkbythesewordsguardedpleasedontsteal(c)AppleCompu"
     "terInc|-smbios|type=2",
     "0-80000000 100000000-180000000"},
    {"Boxes 3G",
     "/usr/bin/qemu-system-x86_64|" LIBVIRT_HEAD "-machine|"
     "pc-q35-7.1,usb=off,vmport=off,dump-guest-core=off,"
     "memory-backend=pc.ram|-accel|kvm|-cpu|host,migratable=on|-m|"
     "size=3145728k|-object|{\"qom-type\": \"memory-backend-ram\", "
     "\"id\": \"pc.ram\", \"size\": 3221225472}|" LIBVIRT_TAIL,
     "0-80000000 100000000-140000000"},
    {"Boxes old pc 1.5G",
     "/usr/bin/qemu-system-x86_64|" LIBVIRT_HEAD "-machine|"
     "pc-i440fx-2.11,accel=kvm,usb=off,vmport=off,"
     "dump-guest-core=off|-m|1536|" LIBVIRT_TAIL,
     "0-60000000"},
    {"Kata q35 nvdimm",
     "/opt/kata/bin/qemu-system-x86_64|-name|sandbox-1|-uuid|"
     "" UUID "|-machine|"
     "q35,accel=kvm,nvdimm=on|-cpu|host,pmu=off|-qmp|"
     "unix:/run/vc/vm/1/qmp.sock,server=on,wait=off|-m|"
     "2048M,slots=10,maxmem=64413M|-device|"
     "pci-bridge,bus=pcie.0,id=pci-bridge-0,chassis_nr=1,shpc=off,"
     "addr=2|-device|nvdimm,id=nv0,memdev=mem0,unarmed=on|-object|"
     "memory-backend-file,id=mem0,mem-path=/usr/share/"
     "kata-containers/kata-containers.img,size=268435456,"
     "readonly=on|-object|memory-backend-file,id=dimm1,size=2048M,"
     "mem-path=/dev/shm,share=on|-numa|node,memdev=dimm1|-smp|"
     "1,cores=1,threads=1,sockets=16,maxcpus=16|-global|"
     "kvm-pit.lost_tick_policy=discard|-vga|none|-no-user-config|"
     "-nodefaults|-nographic|--no-reboot|-object|"
     "rng-random,id=rng0,filename=/dev/urandom",
     "0-80000000 100000000-110000000"},
    {"Kata 8G virtio-mem",
     "/usr/bin/qemu-system-x86_64|-machine|q35,accel=kvm|-m|"
     "8192M,slots=10,maxmem=32768M|-object|"
     "memory-backend-ram,id=dimm1,size=8192M|-numa|"
     "node,memdev=dimm1|-object|memory-backend-ram,id=vmem,size=16G|"
     "-device|virtio-mem-pci,id=virtiomem0,memdev=vmem,"
     "requested-size=0",
     "0-80000000 100000000-680000000"},
    {"microvm 512M",
     "qemu-system-x86_64|-M|microvm,x-option-roms=off,pit=off,"
     "pic=off,isa-serial=off,rtc=off|-enable-kvm|-m|512m|"
     "-nodefaults|-no-user-config|-nographic",
     "0-20000000"},
    {"microvm 5G", "qemu-system-x86_64|-M|microvm|-m|5120",
     "0-c0000000 100000000-180000000"},
    {"Unraid 12G",
     "/usr/local/sbin/qemu|" LIBVIRT_HEAD "-machine|"
     "pc-i440fx-7.2,usb=off,dump-guest-core=off,mem-merge=off,"
     "memory-backend=pc.ram|-accel|kvm|-cpu|"
     "host,migratable=off,topoext=on,host-cache-info=on,"
     "l3-cache=off|-m|12288|-object|{\"qom-type\": "
     "\"memory-backend-ram\", \"id\": \"pc.ram\", \"size\": "
     "12884901888}|" LIBVIRT_TAIL,
     "0-c0000000 100000000-340000000"},
    {"multipass default",
     "/snap/multipass/current/usr/bin/qemu-system-x86_64|-bios|"
     "OVMF.fd|--enable-kvm|-cpu|host|-nic|"
     "tap,ifname=tap-1,script=no,downscript=no,model=virtio-net-pci|"
     "-device|virtio-scsi-pci,id=scsi0|-smp|1|-m|1024M|-qmp|stdio|"
     "-chardev|null,id=char0|-serial|chardev:char0|-nographic|"
     "-cdrom|cloud-init-config.iso",
     "0-40000000"},
    {"max-ram-below-4g",
     "qemu-system-x86_64|-machine|q35,max-ram-below-4g=1G|-m|3G",
     "0-40000000 100000000-180000000"},
};

static void
compute(const char *args, struct memctx_layout *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_memconf conf = {.ram_bytes = 0};
    struct memctx_qemuargs parsed;
    size_t len = strlen(args) + 1;
    char *copy = test_malloc(len);
    memcpy(copy, args, len);
    for (size_t i = 0; i < len; i++) {
        if (copy[i] == '|')
            copy[i] = '\0';
    }
    assert_done(memctx_cmdline_parse(copy, len, &parsed, &err), &err);
    test_free(copy);
    memctx_memconf_overlay(&conf, &parsed.memory, true);
    assert_done(
        memctx_layout_compute(&conf, MEMCTX_LAYOUT_LIKELIEST, ret, &err), &err);
}

static void
describe(const struct memctx_layout *layout, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < layout->n_extents; i++) {
        uint64_t start = layout->extents[i].gpa;
        uint64_t end = start + layout->extents[i].size;
        while (i + 1 < layout->n_extents && layout->extents[i + 1].gpa == end)
            end += layout->extents[++i].size;
        used +=
            (size_t)snprintf(text + used, size - used, "%s%" PRIx64 "-%" PRIx64,
                             used > 0 ? " " : "", start, end);
    }
}

static void
test_each_product_has_its_ram_where_qemu_puts_it(void **state)
{
    (void)state;
    static struct memctx_layout layout;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[256];
        compute(lines[i].args, &layout);
        describe(&layout, text, sizeof(text));
        if (strcmp(text, lines[i].ranges) != 0)
            fail_msg("%s: %s, not %s", lines[i].product, text, lines[i].ranges);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_product_has_its_ram_where_qemu_puts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
