"""Workers that crash, hang, eat memory, lie, and are killed, and what the others notice of it: nothing."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.errors import TooLargeError
from imager.ingest import worker
from imager.ingest.supervised import parse_answer
from imager.ingest.workers import SupervisedExecutor, WorkerError, WorkerFailedError
from tests.ingest import tasks

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs prctl or RLIMIT_DATA")
QUICK = settings(max_examples=60, derandomize=True, deadline=None)


@pytest.fixture
def one() -> Iterator[SupervisedExecutor]:
    with SupervisedExecutor(1, memory=200 << 20) as executor:
        yield executor


def result_of(executor: SupervisedExecutor, task: Any, *args: Any) -> Any:
    return executor.submit(task, *args).result()


def reason_of(executor: SupervisedExecutor, task: Any, *args: Any) -> str:
    with pytest.raises(WorkerFailedError) as caught:
        result_of(executor, task, *args)
    return str(caught.value)


def test_arguments_and_results_travel_as_json(one: SupervisedExecutor) -> None:
    odd = os.fsdecode(b"\xff\n\x00") + "\U0001f4f7"
    assert one.submit(tasks.echo, 1, odd, None, x=(1.5, True)).result() == {
        "values": [1, odd, None],
        "named": {"x": [1.5, True]},
    }


def test_map_gives_results_in_order() -> None:
    with SupervisedExecutor(2) as executor:
        assert list(executor.map(tasks.echo, range(50))) == [[n] for n in range(50)]


def test_one_process_does_many_tasks(one: SupervisedExecutor) -> None:
    assert len({result_of(one, tasks.process_id) for _ in range(5)}) == 1


def test_no_more_processes_are_started_than_tasks_wait() -> None:
    others = len(psutil.Process().children())  # another test may have left a tracker of resources
    with SupervisedExecutor(8) as executor:
        result_of(executor, tasks.echo)
        assert len(psutil.Process().children()) == others + 1


@pytest.mark.parametrize("task", [lambda: 1, "text".upper, "text", partial(tasks.echo, 1)])
def test_what_a_worker_cannot_import_is_refused(one: SupervisedExecutor, task: Any) -> None:
    with pytest.raises(TypeError):
        one.submit(task)


def test_arguments_that_are_not_json_are_refused(one: SupervisedExecutor) -> None:
    with pytest.raises(TypeError):
        one.submit(tasks.echo, b"bytes")
    with pytest.raises(ValueError):
        one.submit(tasks.echo, float("inf"))
    with pytest.raises(ValueError):
        one.submit(tasks.echo, "x" * (33 << 20))


@pytest.mark.parametrize("limits", [{"workers": 0}, {"deadline": 0}, {"memory": 0}, {"deadline": float("inf")}])
def test_senseless_limits_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        SupervisedExecutor(**{"workers": 1} | limits)


def test_an_error_of_imager_arrives_as_what_it_was(one: SupervisedExecutor) -> None:
    with pytest.raises(TooLargeError, match=r"^400 megapixels as progressive JPEG$"):
        result_of(one, tasks.fail, "bomb")


@pytest.mark.parametrize(
    ("task", "args", "text"),
    [
        (tasks.fail, ["KeyError"], "KeyError: 'colour'"),
        (tasks.fail, ["mute"], "MuteError: (without a text)"),
        (tasks.exit_politely, [], "SystemExit: 3"),
        (tasks.answer_with, ["bytes"], "not JSON"),
        (tasks.answer_with, ["nan"], "not JSON"),
        (tasks.answer_with, ["set"], "not JSON"),
        (tasks.answer_with, ["loop"], "not JSON"),
        (tasks.answer_with, ["huge"], "answered with 34,603,"),
    ],
)
def test_other_errors_arrive_as_text_and_the_worker_lives(
    one: SupervisedExecutor, task: Any, args: list[str], text: str
) -> None:
    before = result_of(one, tasks.process_id)
    with pytest.raises(WorkerError) as caught:
        result_of(one, task, *args)
    assert text in str(caught.value)
    assert result_of(one, tasks.process_id) == before


def test_running_out_of_memory_is_said_plainly(one: SupervisedExecutor) -> None:
    assert reason_of(one, tasks.fail, "MemoryError") == "needed more than 200 MiB of memory"


@posix
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS"])
def test_a_crash_fails_only_its_task(one: SupervisedExecutor, name: str) -> None:
    crash = one.submit(tasks.send_myself, int(signal.Signals[name]))
    after = one.submit(tasks.echo, "after")
    with pytest.raises(WorkerFailedError, match=rf"^crashed \(signal {name}\)$"):
        crash.result()
    assert after.result() == ["after"]


def test_a_worker_that_leaves_fails_only_its_task(one: SupervisedExecutor) -> None:
    assert reason_of(one, tasks.leave, 7) == "stopped unexpectedly (exit status 7)"
    assert result_of(one, tasks.echo, 1) == [1]


def test_a_task_over_its_deadline_is_stopped_and_the_others_go_on() -> None:
    with SupervisedExecutor(2, deadline=0.5) as executor:
        late = executor.submit(tasks.hang)
        others = [executor.submit(tasks.echo, n) for n in range(20)]
        assert [f.result() for f in others] == [[n] for n in range(20)]
        with pytest.raises(WorkerFailedError, match=r"^took longer than 0\.5 seconds$"):
            late.result()
        assert result_of(executor, tasks.echo, 1) == [1]


def test_the_deadline_also_stops_code_that_never_releases_the_interpreter() -> None:
    with SupervisedExecutor(1, deadline=0.3) as executor:
        assert reason_of(executor, tasks.hold_the_interpreter) == "took longer than 0.3 seconds"


def test_a_task_that_fills_memory_is_stopped(one: SupervisedExecutor) -> None:
    assert reason_of(one, tasks.fill_memory, 300 << 20) == "needed more than 200 MiB of memory"
    assert result_of(one, tasks.echo, 1) == [1]


@linux
def test_a_huge_allocation_is_refused_at_once_and_the_worker_lives(one: SupervisedExecutor) -> None:
    before = result_of(one, tasks.process_id)
    assert reason_of(one, tasks.ask_for, 10 << 30) == "needed more than 200 MiB of memory"
    assert result_of(one, tasks.process_id) == before


@posix
def test_a_task_whose_worker_was_killed_from_outside_is_tried_again(one: SupervisedExecutor, tmp_path: Path) -> None:
    marker = str(tmp_path / "tried")
    assert result_of(one, tasks.send_myself_once, int(signal.SIGKILL), marker) == "survived"


@posix
def test_a_task_whose_workers_are_killed_twice_fails(one: SupervisedExecutor) -> None:
    assert reason_of(one, tasks.send_myself, int(signal.SIGKILL)).startswith("was killed")


@posix
def test_a_crash_is_not_tried_again(one: SupervisedExecutor, tmp_path: Path) -> None:
    marker = str(tmp_path / "tried")
    assert reason_of(one, tasks.send_myself_once, int(signal.SIGSEGV), marker).startswith("crashed")


@posix
def test_a_worker_that_died_while_idle_is_replaced(one: SupervisedExecutor) -> None:
    before = result_of(one, tasks.process_id)
    os.kill(before, signal.SIGKILL)
    assert result_of(one, tasks.process_id) != before


@posix
def test_workers_ignore_control_c(one: SupervisedExecutor) -> None:
    assert result_of(one, tasks.send_myself, int(signal.SIGINT)) == "survived"


@posix
def test_workers_killed_at_random_lose_no_task() -> None:
    with SupervisedExecutor(2) as executor:
        futures = [executor.submit(tasks.echo, n) for n in range(200)]
        for future in futures[::20]:
            wait([future])
            for child in psutil.Process().children():
                with suppress(psutil.NoSuchProcess):  # it had died of the last round
                    child.kill()
        for n, future in enumerate(futures):
            error = future.exception()
            if error is None:
                assert future.result() == [n]
            else:
                assert str(error).startswith("was killed")
        assert sum(f.exception() is None for f in futures) > 150


def test_prints_do_not_disturb_the_answers(one: SupervisedExecutor) -> None:
    assert result_of(one, tasks.chatter) == "said"
    assert result_of(one, tasks.read_standard_input) == ""


@posix
@pytest.mark.parametrize("text", ["\xff" * 8, "\0\0\0\x02[]", "\0\0\0\x02{]", '\0\0\0\x0e{"result":NaN}'])
def test_a_worker_that_answers_nonsense_is_replaced(one: SupervisedExecutor, text: str) -> None:
    assert reason_of(one, tasks.write_into_all_pipes, text) == "gave an answer that makes no sense"
    assert result_of(one, tasks.echo, 1) == [1]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@QUICK
@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_answer_is_understood_or_refused(body: bytes) -> None:
    try:
        answer = parse_answer(body)
    except ValueError:
        return
    assert "result" in answer or isinstance(answer["error"]["text"], str)


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"result":' * 200_000, b'{"result":' + b"9" * 10_000 + b"}"])
def test_answers_made_to_exhaust_the_parser_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_answer(body)


@QUICK
@given(json_values)
def test_frames_arrive_whole(value: Any) -> None:
    stream = io.BytesIO()
    worker.write_frame(stream, worker.encode(value))
    assert worker.read_frame(io.BytesIO(stream.getvalue()[:-1])) is None
    stream.seek(0)
    body = worker.read_frame(stream)
    assert body is not None
    assert json.loads(body) == value
    assert worker.read_frame(stream) is None


def test_each_worker_is_prepared_once() -> None:
    with SupervisedExecutor(1, on_start=(tasks.remember, "a", 2)) as executor:
        assert result_of(executor, tasks.remembered) == ["a", 2]
        assert result_of(executor, tasks.remembered) == ["a", 2]


def test_workers_that_cannot_start_fail_their_tasks() -> None:
    with SupervisedExecutor(1, on_start=(tasks.leave, 9)) as executor:
        assert reason_of(executor, tasks.echo) == "stopped unexpectedly (exit status 9)"
    with SupervisedExecutor(1, on_start=(tasks.fail, "bomb")) as executor:
        for _ in range(2):
            with pytest.raises(TooLargeError):
                result_of(executor, tasks.echo)


def test_native_libraries_are_bound_to_one_thread(one: SupervisedExecutor) -> None:
    assert result_of(one, tasks.environment, "OMP_NUM_THREADS") == "1"
    assert result_of(one, tasks.environment, "VIPS_CONCURRENCY") == "1"


@posix
def test_workers_can_run_at_a_lower_priority() -> None:
    with SupervisedExecutor(1, nice=3) as executor:
        assert result_of(executor, tasks.niceness) == min(os.nice(0) + 3, 19)


def test_workers_import_from_where_the_parent_does(
    one: SupervisedExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("def answer():\n    return 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here  # type: ignore[import-not-found]

    assert result_of(one, only_here.answer) == 42
    assert result_of(one, tasks.search_path) == sys.path


def test_modules_that_lie_in_the_current_folder_are_not_run(
    one: SupervisedExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("open('was run', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    result_of(one, tasks.echo)
    assert not (tmp_path / "was run").exists()


def test_a_cancelled_task_is_not_run(one: SupervisedExecutor, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    first = one.submit(tasks.echo)
    queued = [one.submit(tasks.send_myself_once, 0, str(marker)) for _ in range(3)]
    cancelled = [future.cancel() for future in queued]
    first.result()
    one.shutdown()
    assert cancelled == [True] * 3
    assert not marker.exists()


def test_nothing_can_be_submitted_after_shutdown() -> None:
    executor = SupervisedExecutor(1)
    executor.shutdown()
    executor.shutdown()
    with pytest.raises(RuntimeError):
        executor.submit(tasks.echo)


def test_shutdown_finishes_what_waits_or_cancels_it_as_asked() -> None:
    for cancel in (False, True):
        executor = SupervisedExecutor(1)
        futures = [executor.submit(tasks.echo, n) for n in range(10)]
        executor.shutdown(cancel_futures=cancel)
        assert all(future.done() for future in futures)
        assert futures[-1].cancelled() == cancel


def test_nothing_is_left_after_shutdown() -> None:
    def left() -> tuple[int, int, int]:
        process = psutil.Process()
        handles = process.num_fds() if os.name == "posix" else process.num_handles()
        return handles, len(process.children()), threading.active_count()

    before = left()
    with SupervisedExecutor(2, deadline=0.3) as executor:
        futures: list[Future[Any]] = [executor.submit(tasks.hang), executor.submit(tasks.leave, 1)]
        futures += [executor.submit(tasks.echo, n) for n in range(10)]
        wait(futures)
    assert left() == before


def test_killing_the_workers_ends_everything_now() -> None:
    executor = SupervisedExecutor(2)
    futures = [executor.submit(tasks.hang) for _ in range(4)]
    executor.kill_workers()
    executor.shutdown()
    for future in futures:
        with pytest.raises((WorkerFailedError, CancelledError)):
            future.result()


def test_leaving_by_control_c_does_not_wait_for_tasks() -> None:
    with pytest.raises(KeyboardInterrupt), SupervisedExecutor(1) as executor:
        futures = [executor.submit(tasks.hang) for _ in range(2)]
        raise KeyboardInterrupt
    assert all(future.done() for future in futures)


PARENT = """
import sys
from imager.ingest.workers import SupervisedExecutor
from tests.ingest import tasks
executor = SupervisedExecutor(2)
for fifo, how in zip(sys.argv[1::2], sys.argv[2::2]):
    future = executor.submit(tasks.tell_and_hang, fifo, how)
future.result()
"""


@linux
def test_workers_die_with_a_parent_that_is_killed_in_the_middle_of_their_tasks(tmp_path: Path) -> None:
    hows = {str(tmp_path / "a"): "waiting", str(tmp_path / "b"): "holding the interpreter"}
    for fifo in hows:
        os.mkfifo(fifo)
    arguments = [part for pair in hows.items() for part in pair]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with (
        ExitStack() as stack,
        subprocess.Popen([sys.executable, "-c", PARENT, *arguments], env=environment) as parent,
    ):
        pipes = [stack.enter_context(open(fifo, "rb")) for fifo in hows]
        assert all(int(pipe.readline()) != parent.pid for pipe in pipes)
        parent.kill()
        for pipe in pipes:
            assert pipe.read() == b""  # returns when the process that had it open for writing is gone
