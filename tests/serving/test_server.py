"""The socket that the server listens on."""

import asyncio
import socket
from contextlib import closing

import pytest

from eventune.errors import EventuneError
from eventune.serving.arguments import ServeSettings
from eventune.serving.server import bind


def test_answers_are_sent_without_waiting_for_more():
    async def delays():
        heard = asyncio.get_running_loop().create_future()

        async def answer(reader, writer):
            delayed = not writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
            heard.set_result(delayed)

        with closing(bind(ServeSettings(port=0))) as taken:
            async with await asyncio.start_server(answer, sock=taken):
                _, writer = await asyncio.open_connection(*taken.getsockname())
                writer.close()
                return await asyncio.wait_for(heard, 10)

    assert not asyncio.run(delays())


def test_a_server_whose_models_load_has_its_address_already():
    with closing(bind(ServeSettings(port=0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EventuneError, match=f"found 127.0.0.1:{port}: in use already"):
            bind(ServeSettings(port=port))
