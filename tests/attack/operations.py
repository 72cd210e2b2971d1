"""Every file operation of a function, stopped before the kernel does it (Linux on x86-64).

The function runs in a forked process. A seccomp filter stops it at each system call that changes a
file, whichever library makes it: Python, PyTorch, Arrow, ONNX Runtime. The tracer (`ptrace`) then
says what becomes of the call: it happens, it fails (a full disk), half of it happens (a torn
write), or the process is killed before it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

#: System calls that change files, by their numbers in x86-64's table.
CALLS = {
    1: "write", 2: "open", 18: "pwrite64", 20: "writev", 40: "sendfile", 73: "flock",
    74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate", 82: "rename", 83: "mkdir",
    84: "rmdir", 85: "creat", 86: "link", 87: "unlink", 88: "symlink", 90: "chmod", 91: "fchmod",
    257: "openat", 258: "mkdirat", 263: "unlinkat", 264: "renameat", 265: "linkat",
    266: "symlinkat", 268: "fchmodat", 285: "fallocate", 296: "pwritev", 316: "renameat2",
    326: "copy_file_range",
}  # fmt: skip
#: Those that need room on the disk: they fail on a full one.
GROWING = {"write", "pwrite64", "writev", "pwritev", "sendfile", "copy_file_range", "fallocate",
           "mkdir", "mkdirat", "open", "openat", "creat"}  # fmt: skip
#: Flags of open that may change a file: O_WRONLY, O_RDWR, O_CREAT, O_TRUNC.
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000

Decision = Literal["do", "kill", "half", "full"]
#: Called with the number of the operation, from 1, and its name.
OnOperation = Callable[[int, str], Decision]

_TRACEME, _CONT, _GETREGS, _SETREGS, _SYSCALL, _SETOPTIONS = 0, 7, 12, 13, 24, 0x4200
_OPTIONS = 0x2 | 0x4 | 0x8 | 0x80 | 0x100000  # fork, vfork, clone, seccomp, kill on exit
_SECCOMP_EVENT = 7
_WALL = 0x40000000
_TRACE, _ALLOW = 0x7FF00000, 0x7FFF0000


class _Registers(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_ulonglong)
        for name in (
            "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp "
            "ss fs_base gs_base ds es fs gs"
        ).split()
    ]


class _Instruction(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_ushort),
        ("jt", ctypes.c_ubyte),
        ("jf", ctypes.c_ubyte),
        ("k", ctypes.c_uint),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction))]


@dataclass
class Ending:
    """How a traced function ended.

    Attributes:
        code: the exit code; of a signal, minus its number.
        operations: the names of its file operations, in their order.
        said: what it wrote on standard output and standard error.
    """

    code: int = 0
    operations: list[str] = field(default_factory=list)
    said: str = ""


def run_forked(function: Callable[[], object], said: Path | None = None) -> Ending:
    """Run the function in a forked process, which nothing stops."""
    pid = os.fork()
    if not pid:
        _run(function, said, is_traced=False)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Ending(code, said=said.read_text("utf-8", errors="replace") if said else "")


def can_trace() -> bool:
    """Whether this system can stop a process at its file operations."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    try:
        return trace(lambda: None, lambda number, name: "do").code == 0
    except OSError:
        return False


def trace(
    function: Callable[[], object],
    on_operation: OnOperation,
    *,
    said: Path | None = None,
    on_start: Callable[[int], object] = lambda pid: None,
) -> Ending:
    """Run the function in a forked process, and ask about each of its file operations.

    Args:
        function: an int that it returns is the exit code; an exception is exit code 1.
        on_operation: what becomes of the operation.
        said: a file for the process's standard output and standard error.
        on_start: called with the id of the process before it begins.
    """
    _libc()  # loaded before the fork
    pid = os.fork()
    if not pid:
        _run(function, said, is_traced=True)
    ending = _Tracer(pid, on_operation).follow(on_start)
    if said is not None:
        ending.said = said.read_text("utf-8", errors="replace")
    return ending


def _run(function: Callable[[], object], said: Path | None, *, is_traced: bool) -> NoReturn:
    code = 1
    try:
        target = os.open(said or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(target, 1)
        os.dup2(target, 2)
        os.close(target)
        if is_traced:
            _ptrace(_TRACEME, 0, 0, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            _install_filter()
        result = function()
        code = result if isinstance(result, int) else 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                code = code or 1
        os._exit(code)


class _Tracer:
    def __init__(self, pid: int, on_operation: OnOperation) -> None:
        self.pid, self.on_operation = pid, on_operation
        self.ending = Ending()
        self.threads: set[int] = {pid}
        self.full = False

    def follow(self, on_start: Callable[[int], object]) -> Ending:
        os.waitpid(self.pid, 0)
        _ptrace(_SETOPTIONS, self.pid, 0, _OPTIONS)
        on_start(self.pid)
        _ptrace(_CONT, self.pid, 0, 0)
        while self.threads:
            try:
                thread, status = os.waitpid(-1, _WALL)
            except ChildProcessError:
                break
            if os.WIFSTOPPED(status):
                self.threads.add(thread)
                self._resume(thread, status)
                continue
            self.threads.discard(thread)
            if thread == self.pid:
                self.ending.code = os.waitstatus_to_exitcode(status)
                self._end_children()
        return self.ending

    def _resume(self, thread: int, status: int) -> None:
        event, number = status >> 16, os.WSTOPSIG(status)
        try:
            if event == _SECCOMP_EVENT:
                self._operation(thread)
            elif event or number in (signal.SIGSTOP, signal.SIGTRAP):
                _ptrace(_CONT, thread, 0, 0)  # a new thread or process
            else:
                _ptrace(_CONT, thread, 0, number)
        except ProcessLookupError:
            pass  # killed meanwhile

    def _operation(self, thread: int) -> None:
        registers = _Registers()
        _ptrace(_GETREGS, thread, 0, ctypes.addressof(registers))
        name = CALLS[registers.orig_rax]
        self.ending.operations.append(name)
        decision = self.on_operation(len(self.ending.operations), name)
        if decision == "kill":
            self._kill()
            return
        if decision == "half":
            if name == "write" and registers.rdx > 1:
                registers.rdx //= 2
                _ptrace(_SETREGS, thread, 0, ctypes.addressof(registers))
            _ptrace(_SYSCALL, thread, 0, 0)
            os.waitpid(thread, _WALL)  # stopped after the call
            self._kill()
            return
        self.full = self.full or decision == "full"
        if self.full and name in GROWING:
            registers.orig_rax = ctypes.c_ulonglong(-1).value
            registers.rax = ctypes.c_ulonglong(-errno.ENOSPC).value
            _ptrace(_SETREGS, thread, 0, ctypes.addressof(registers))
        _ptrace(_CONT, thread, 0, 0)

    def _kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def _end_children(self) -> None:
        """Let go of processes that the traced one left: without a tracer they could not write."""
        for thread in self.threads:
            with contextlib.suppress(ProcessLookupError):
                os.kill(thread, signal.SIGKILL)


def _libc() -> ctypes.CDLL:
    global _loaded
    if _loaded is None:
        _loaded = ctypes.CDLL(None, use_errno=True)
        _loaded.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
        _loaded.ptrace.restype = ctypes.c_long
    return _loaded


_loaded: ctypes.CDLL | None = None


def _ptrace(request: int, pid: int, address: int, data: int) -> None:
    if _libc().ptrace(request, pid, address, data) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _install_filter() -> None:
    """Stop this process, and all that it starts, at the calls that change files."""
    load, equal, any_bit, more, back = 0x20, 0x15, 0x45, 0x25, 0x06

    def argument(number: int) -> int:
        return 16 + 8 * number  # its lower half, in struct seccomp_data

    program: list[Any] = [(load, 0, 0, 0)]  # the number of the call
    for number, name in CALLS.items():
        if name in ("open", "openat"):  # only those that may write
            flags = argument(1 if name == "open" else 2)
            check = [(load, 0, 0, flags), (any_bit, 0, 1, _WRITING)]
        elif name in ("write", "writev"):  # but for standard output and standard error
            check = [(load, 0, 0, argument(0)), (more, 0, 1, 2)]
        else:
            check = []
        steps = [*check, (back, 0, 0, _TRACE)]
        if check:
            steps.append((back, 0, 0, _ALLOW))
        program += [(equal, 0, len(steps), number), *steps]
    program.append((back, 0, 0, _ALLOW))
    instructions = (_Instruction * len(program))(*program)
    filter_ = _Program(len(program), instructions)
    libc = _libc()
    for call in ((38, 1, 0, 0, 0), (22, 2, ctypes.byref(filter_), 0, 0)):  # no new privileges
        if libc.prctl(*call):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
