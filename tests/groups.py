"""What an operator, or an error of the network, does to a consumer group."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.group import LeaveGroupRequest
from aiokafka.protocol.types import Array, Int16, Int32, Schema, String


class _DeleteGroupsResponse(Response):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 42
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("results", Array(("group_id", String("utf-8")), ("error_code", Int16)))
    )


class _DeleteGroupsStruct(RequestStruct):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 42
    API_VERSION = 0
    RESPONSE_TYPE = _DeleteGroupsResponse
    SCHEMA = Schema(("groups", Array(String("utf-8"))))


class _DeleteGroupsRequest(Request[_DeleteGroupsStruct]):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 42

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, struct: type[_DeleteGroupsStruct]) -> _DeleteGroupsStruct:
        return struct([self._group])


async def delete_group(bootstrap: str, group: str) -> None:
    """Delete a group without members and its offsets; generations begin at 1 again."""
    async with _coordinator(bootstrap, group) as send:
        response = await send(_DeleteGroupsRequest(group))
    ((_group, error),) = response.results
    if error:
        raise for_code(error)


async def put_out(bootstrap: str, group: str, member_id: str) -> None:
    """Take a member out of its group without its knowing, as after its session's end."""
    async with _coordinator(bootstrap, group) as send:
        response = await send(LeaveGroupRequest(group, member_id))
    if response.error_code:
        raise for_code(response.error_code)


@asynccontextmanager
async def _coordinator(bootstrap: str, group: str) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        node = await admin.find_coordinator(group)

        async def send(request: Any) -> Any:
            return await admin._send_request(request, node)  # noqa: SLF001 - it has no method for these

        yield send
    finally:
        await admin.close()
