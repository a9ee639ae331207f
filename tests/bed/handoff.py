#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""A reader of the control socket that is nobody's library: handoff.py SOCKET COMMAND ...

  open DOMAIN        print "epoch EPOCH", then a line for each backend: its name, mode and size, or why there is none;
                     then, as uid 65534, "writable: WAYS" by which the descriptors can be made to write
  release DOMAIN     print the guest's release, read by GVA: page tables (x86-64 only) are walked here
  uts DOMAIN         print the GVA of the kernel's node name
  read DOMAIN GVA N  print N bytes as hex, all in one page
"""
import array
import fcntl
import json
import mmap
import os
import re
import socket
import sys

F_ADD_SEALS, F_SEAL_WRITE = 1033, 8


class Reader:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(path)

    def ask(self, op, domain, **members):
        self.socket.send(json.dumps(dict(members, op=op, domain=domain)).encode())
        data, ancillary, _, _ = self.socket.recvmsg(400000, socket.CMSG_SPACE(4 * 253))
        fds = array.array('i')
        for _, _, body in ancillary:
            fds.frombytes(body[:len(body) - len(body) % 4])
        head, _, rest = data.partition(b'\n')
        reply = json.loads(head)
        if 'error' in reply:
            sys.exit('%s: %s' % (reply['kind'], reply['error']))
        return reply, list(fds), rest

    def read(self, domain, size, **where):
        return self.ask('read', domain, size=size, **where)[2]

    def datum(self, domain):
        return self.ask('show', domain)[0]['datum']

    def walk(self, domain, gva):
        """The GPA of a GVA of an x86-64 kernel."""
        table, paging = re.search(r'<kcr3>(.*)</kcr3>.*<paging>(.*)</paging>', self.datum(domain), re.S).groups()
        table = int(table, 16)
        for shift in [48, 39, 30, 21, 12][paging == 'x86_64-4level':]:
            entry = self.read(domain, 8, gpa=table + (gva >> shift & 511) * 8)
            entry = int.from_bytes(entry or bytes(8), 'little')
            if not entry & 1:
                sys.exit('%#x is not mapped' % gva)
            table = entry & 0xffffffffff000
            if shift == 12 or (entry & 0x80 and shift <= 30):
                return table >> shift << shift | gva & (1 << shift) - 1

    def read_gva(self, domain, size, gva):
        return self.read(domain, size, gpa=self.walk(domain, gva))

    def vmcoreinfo(self, domain):
        xml = self.datum(domain)
        gpa, size = re.search(r'vmcoreinfo gpa="(0x[0-9a-f]+)" size="(\d+)"', xml).groups()
        text = self.read(domain, int(size) + 256, gpa=gpa)
        return dict(line.split('=', 1) for line in text.decode('latin1').split('\n') if '=' in line)

    def uts(self, domain, member):
        info = self.vmcoreinfo(domain)
        return int(info['SYMBOL(init_uts_ns)'], 16) + int(info['OFFSET(uts_namespace.name)']) + 65 * member


def ways(fd):
    """The ways by which this process could write to the file, each tried."""
    own = '/proc/self/fd/%d' % fd
    tried = {
        'write': lambda: os.write(fd, b'x'),
        'pwrite': lambda: os.pwrite(fd, b'x', 0),
        'mmap': lambda: mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_WRITE | mmap.PROT_READ),
        'rdwr': lambda: os.open(own, os.O_RDWR),
        'wronly': lambda: os.open(own, os.O_WRONLY),
        'trunc': lambda: os.open(own, os.O_RDONLY | os.O_TRUNC),
        'ftruncate': lambda: os.ftruncate(fd, 0),
        'fallocate': lambda: os.posix_fallocate(fd, 0, 4096),
        'fchmod': lambda: os.fchmod(fd, 0o666),
        'seals': lambda: fcntl.fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE),
    }
    worked = []
    for name, way in tried.items():
        try:
            way()
            worked.append(name)
        except OSError:
            pass
    return worked


def show_open(reader, domain):
    reply, fds, _ = reader.ask('open', domain)
    print('epoch', reply['epoch'], flush=True)
    for backend in reply['ram']['backends']:
        if 'fd' in backend:
            print(backend['name'], '%04o' % (os.fstat(fds[backend['fd']]).st_mode & 0o7777), backend['size'])
        else:
            print(backend['name'], 'none:', backend['why'])
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        print('writable:', *sorted({way for fd in fds for way in ways(fd)}))


def main():
    reader, command, domain = Reader(sys.argv[1]), sys.argv[2], sys.argv[3]
    if command == 'open':
        show_open(reader, domain)
    elif command == 'release':
        print(reader.read_gva(domain, 65, reader.uts(domain, 2)).split(b'\0')[0].decode())
    elif command == 'uts':
        print(hex(reader.uts(domain, 1)))
    else:
        print(reader.read_gva(domain, int(sys.argv[5]), int(sys.argv[4], 0)).hex())


main()
