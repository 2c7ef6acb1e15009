# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Writes first inputs for the harnesses: `seeds.py FOLDER` makes FOLDER/<harness>/… ."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools"))

from rig.observer import Decoder  # noqa: E402

FUNCTION_TO_TABLE = {1: 0, 2: 1, 4: 2, 3: 3}  # the order of RegisterTable


def payloads(decoder: Decoder) -> dict[str, bytes]:
    """A birth with every kind of value, and a journal record; made by protobuf's Python runtime."""
    birth = decoder.new()
    birth.timestamp, birth.seq = 1_795_000_000_000, 0
    for number, (name, kind, field, value) in enumerate([
            ("bdSeq", 4, "long_value", 3), ("Node Control/Rebirth", 11, "boolean_value", False),
            ("ambient.temperature", 10, "double_value", 22.5), ("float", 9, "float_value", 1.5),
            ("small", 1, "int_value", 0xFFFFFFFF), ("text", 12, "string_value", "文字"),
            ("bytes", 17, "bytes_value", b"\x00\x01")]):
        metric = birth.metrics.add(name=name, datatype=kind, timestamp=1_795_000_000_000, alias=number)
        setattr(metric, field, value)
        metric.properties.keys.append("Quality")
        metric.properties.values.add(type=3, int_value=192)
        if name == "ambient.temperature":
            alarms = '[{"severity":"major","above":60,"clear_below":55,"title":{"zh":"热","en":"Hot"}}]'
            metric.properties.keys.extend(["alarms", "Clock Unsure"])
            metric.properties.values.add(type=12, string_value=alarms)
            metric.properties.values.add(type=11, boolean_value=True)
    record = decoder.new()
    record.timestamp, record.seq = 1_795_000_000_500, 1
    record.metrics.add(name="ambient.temperature", double_value=23.0, is_historical=True)
    stamp = decoder.stamp_of(record)
    stamp.journal_id, stamp.record, stamp.oldest_available = bytes(range(16)), 7, 2
    return {"birth": birth.SerializeToString(), "record": record.SerializeToString()}


def modbus_frames() -> dict[str, bytes]:
    """The samples of every profile behind the harness's seven leading bytes."""
    frames = {}
    for path in sorted((REPOSITORY / "agent" / "profiles").glob("*.toml")):
        for number, sample in enumerate(tomllib.loads(path.read_text()).get("sample", [])):
            frame = bytes.fromhex(sample.get("reply", ""))
            if len(frame) < 5 or frame[1] not in FUNCTION_TO_TABLE:
                continue
            count = frame[2] * 8 if frame[1] < 3 else frame[2] // 2
            address = sample.get("address", 0)
            head = bytes([1, frame[0], FUNCTION_TO_TABLE[frame[1]], address >> 8, address & 0xFF, (count - 1) % 125, 1])
            frames[f"{path.stem}-{number}"] = head + frame
    return frames


def enrolments() -> dict[str, bytes]:
    """A token, HTTP Basic, and a request and certificate as openssl makes them."""
    made = {"token": b"wre1." + b"A" * 86, "basic": b"Basic cm9vbTE6d3JlMS54"}
    with tempfile.TemporaryDirectory() as folder:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/key", "-subj",
               "/CN=hq.room1", "-outform", "DER", "-out"]
        for name, kind in (("request", ["-new"]), ("certificate", ["-x509"])):
            subprocess.run(["openssl", "req", *kind, *key, f"{folder}/{name}"], check=True, capture_output=True)
            made[name] = Path(folder, name).read_bytes()
    return made


def main() -> None:
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as schema:
        made = payloads(Decoder(Path(schema)))
    session = b"".join(bytes([topic]) + len(payload).to_bytes(2, "big") + payload for topic, payload in (
        (0, made["birth"]), (3, made["birth"]), (4, made["record"]), (4 + 12, made["record"]), (1, made["birth"])))
    profiles = {path.stem: path.read_bytes() for path in (REPOSITORY / "agent" / "profiles").glob("*.toml")}
    texts = ["spBv1.0/hq/DDATA/room1/leak1", "spBv1.0/STATE/watchroom", '{"online":true,"timestamp":1795000000000}',
             "outlet[3].current", '[{"severity":"minor","states":[1,2],"on_delay_s":3,"title":{"zh":"x"}},7]',
             "ambient.temperature", "00112233445566778899aabbccddeeff watchroom 17 19-20 25-31"]
    addresses = ["modbus-tcp://10.0.0.5:502?unit=1", "modbus-rtu:///dev/ttyS1?baud=9600&parity=N&unit=3",
                 "snmp://[::1]:161?version=3&user=watch&auth=SHA-256&priv=AES", "snmp://h:161?community=public",
                 "icmp://[::1]#echoes=5", "https://h:8443/a?b=c#status=200,401&text=ok&verify=no", "gpio://qemu_virt"]
    requests = ["/api/v1/points?site=hq&name=%E6%B8%A9", "a=b; wr_session=abc; c=d", "/assets/../x?&&=%zz"]
    seeds = {
        "payload_fuzzer": made, "intake_fuzzer": {"session": session}, "modbus_reply_fuzzer": modbus_frames(),
        "profile_fuzzer": profiles,
        "names_fuzzer": {str(n): text.encode() for n, text in enumerate(texts)},
        "device_address_fuzzer": {str(n): text.encode() for n, text in enumerate(addresses)},
        "snmp_text_fuzzer": {"0": b"1.3.6.1.2.1.33.1", "1": "机房 UPS\0".encode(), "2": b"23.5 C"},
        "enrolment_fuzzer": enrolments(),
        "http_request_fuzzer": {str(n): text.encode() for n, text in enumerate(requests)},
    }
    for harness, inputs in seeds.items():
        target = folder / harness
        target.mkdir(parents=True, exist_ok=True)
        for name, content in inputs.items():
            (target / f"seed-{name}").write_bytes(content)


if __name__ == "__main__":
    main()
