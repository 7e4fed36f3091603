"""Processes of the tests that need not load torch anew, which takes seconds: forks of this one."""

import os
import signal
import socket
import sys
import traceback
import warnings


class Forked:
    """A fork of this process that does some work and ends.

    It computes in one thread, as OpenMP's others are not in a fork; what it prints is lost where no file is given.
    """

    def __init__(self, work, *, stdout=None, stderr=None, environment=None):
        self.returncode = None
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                _redirect(stdout, stderr)
                _forget({**(os.environ if environment is None else environment)})
                work()
                code = 0
            except SystemExit as stop:
                code = stop.code or 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)

    @classmethod
    def command(cls, *words, **options):
        """Run a command of eventune."""
        from eventune.cli import main

        return cls(lambda: sys.exit(main([str(word) for word in words])), **options)

    @classmethod
    def popen(cls, command, *, stdout=None, stderr=None, env=None, **_):
        """Stand in for `subprocess.Popen` of a command of eventune."""
        assert command[:3] == [sys.executable, "-m", "eventune"]
        return cls.command(*command[3:], stdout=stdout, stderr=stderr, environment=env)

    @classmethod
    def ranks(cls, work, count, log):
        """Do the same in so many processes, with the environment that a launcher gives each; return their codes."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(server.getsockname()[1])}
        common = {**os.environ, **place, "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
        common |= {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
        with log.open("wb") as file:
            started = [
                cls(work, stdout=file, stderr=file, environment={**common, "RANK": rank, "LOCAL_RANK": rank})
                for rank in map(str, range(count))
            ]
        return [process.wait() for process in started]

    def poll(self):
        """Return the exit code, or None while it goes on."""
        return self._waited(os.WNOHANG)

    def wait(self, timeout=None):
        """Return the exit code when it has ended."""
        return self._waited(0)

    def terminate(self):
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self):
        """End it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def _waited(self, options):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


def _redirect(stdout, stderr):
    for number, (name, file) in enumerate((("stdout", stdout), ("stderr", stderr)), start=1):
        os.dup2(file.fileno() if hasattr(file, "fileno") else os.open(os.devnull, os.O_WRONLY), number)
        setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", buffering=1, closefd=False))


def _forget(environment):
    """Leave behind what belongs to the tests: handlers, warnings that are errors, and what accelerate has set up."""
    import torch
    from accelerate.state import AcceleratorState

    os.environ.clear()
    # Else the tokenizers warn that they were forked.
    os.environ.update(environment, TOKENIZERS_PARALLELISM="false")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    AcceleratorState._reset_state(reset_partial_state=True)
