# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""Guest RAM in files, as a layer for Volatility 3.

Volatility's own FileLayer takes the offset in a file for the address. RAM that
QEMU has split below 4 GiB, or that lies in several files, is read by this
class; memctx export --format volatility3 names it, and "-p" has to name the
directory of this file:

    vol.py -p /usr/share/memctxd/volatility3 -c web1.json linux.pslist
"""
import os
import urllib.parse
from bisect import bisect_right

from volatility3.framework import exceptions, interfaces
from volatility3.framework.configuration import requirements


class MemctxLayer(interfaces.layers.DataLayerInterface):
    """Physical memory whose pieces are parts of files, read anew each time."""

    def __init__(self, context, config_path, name, metadata=None):
        super().__init__(
            context=context, config_path=config_path, name=name, metadata=metadata
        )
        # "file:gpa:offset:size,..."; files by their URL-quoted paths
        self._paths = [
            urllib.parse.unquote_to_bytes(path)
            for path in self.config["files"].split()
        ]
        self._runs = sorted(
            (int(gpa, 0), int(size, 0), int(file), int(offset, 0))
            for file, gpa, offset, size in (
                run.split(":") for run in self.config["runs"].split(",")
            )
        )
        self._starts = [run[0] for run in self._runs]
        self._fds = {}

    @classmethod
    def get_requirements(cls):
        return [
            requirements.StringRequirement(name="runs", optional=False),
            requirements.StringRequirement(name="files", optional=False),
        ]

    @property
    def minimum_address(self):
        return self._runs[0][0]

    @property
    def maximum_address(self):
        gpa, size, _, _ = self._runs[-1]
        return gpa + size - 1

    def _run_at(self, address):
        """The run that holds an address, or None."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0 and address < self._runs[index][0] + self._runs[index][1]:
            return self._runs[index]
        return None

    def is_valid(self, offset, length=1):
        end = offset + length
        while offset < end:
            run = self._run_at(offset)
            if run is None:
                return False
            offset = run[0] + run[1]
        return True

    def _fd(self, file):
        if file not in self._fds:
            self._fds[file] = os.open(self._paths[file], os.O_RDONLY)
        return self._fds[file]

    def _next_start(self, address, end):
        """Where RAM begins again behind an address without any."""
        index = bisect_right(self._starts, address)
        return min(self._starts[index], end) if index < len(self._starts) else end

    def read(self, offset, length, pad=False):
        parts = []
        end = offset + length
        while offset < end:
            run = self._run_at(offset)
            if run is None:
                if not pad:
                    raise exceptions.InvalidAddressException(
                        self.name, offset, f"No RAM at {offset:#x}"
                    )
                count = self._next_start(offset, end) - offset
                data = bytes(count)
            else:
                gpa, size, file, start = run
                count = min(end, gpa + size) - offset
                data = os.pread(self._fd(file), count, start + offset - gpa)
                if not data:
                    raise exceptions.InvalidAddressException(
                        self.name, offset, "The file was cut off"
                    )
            parts.append(data)
            offset += len(data)
        return b"".join(parts)

    def write(self, offset, data):
        raise exceptions.LayerException(self.name, "Guest RAM is read only")

    def scan(self, context, scanner, progress_callback=None, sections=None):
        """The gap below 4 GiB, or up to 1 TiB, is not gone through."""
        if sections is None:
            sections = [(gpa, size) for gpa, size, _, _ in self._runs]
        return super().scan(context, scanner, progress_callback, sections)

    def destroy(self):
        for fd in self._fds.values():
            os.close(fd)
        self._fds = {}

    def __getstate__(self):
        """Workers of a scan open the files themselves."""
        state = dict(self.__dict__)
        state["_fds"] = {}
        return state
