// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// A chiller behind a foreign Sparkplug library. Run by tests/scenarios/foreign_edge_node.py:
//   node edge_node.mjs URL GROUP NODE DEVICE CA CERTIFICATE KEY
import { readFileSync } from "node:fs";
import sparkplug from "sparkplug-client";

const [url, group, node, device, ca, certificate, key] = process.argv.slice(2);
const client = sparkplug.newClient({
  serverUrl: url,
  username: "",
  password: "",
  groupId: group,
  edgeNode: node,
  clientId: `${group}-${node}`,
  version: "spBv1.0",
  keepalive: 5,
  mqttOptions: { ca: readFileSync(ca), cert: readFileSync(certificate), key: readFileSync(key) },
});

let temperature = 12.0;
let rank = "general";
const metrics = () => [
  {
    name: "Supply/Temperature",
    type: "Double",
    value: temperature,
    timestamp: Date.now(),
    properties: {
      engUnit: { type: "String", value: "celsius" },
      alarms: { type: "String", value: JSON.stringify([{ severity: "minor", above: 1000, title: { en: "Hot" } }, "nonsense"]) },
    },
  },
  { name: "Properties/Class", type: "String", value: rank, timestamp: Date.now() },
  { name: "Properties/Class Configured", type: "String", value: "general", timestamp: Date.now() },
  { name: "Properties/Poll Interval", type: "Int64", value: rank === "core" ? 500 : 5000, timestamp: Date.now() },
  { name: "Compressor/Running", type: "Boolean", value: true, timestamp: Date.now() },
  { name: "Starts", type: "UInt32", value: 4000000000, timestamp: Date.now() },
  { name: "Maker", type: "String", value: "Foreign Cooling 制冷", timestamp: Date.now() },
];

function publishBirths() {
  client.publishNodeBirth({
    timestamp: Date.now(),
    metrics: [
      { name: "Node Control/Rebirth", type: "Boolean", value: false, timestamp: Date.now() },
      { name: "Properties/Version", type: "String", value: "1.2.3", timestamp: Date.now() },
    ],
  });
  client.publishDeviceBirth(device, { timestamp: Date.now(), metrics: metrics() });
  console.log("born");
}

client.on("birth", publishBirths);
client.on("ncmd", (payload) => {
  for (const metric of payload.metrics ?? []) {
    if (metric.name === "Node Control/Rebirth" && metric.value === true) {
      console.log("rebirth");
      publishBirths();
    }
  }
});
client.on("dcmd", (to, payload) => {
  for (const metric of payload.metrics ?? []) {
    console.log(`dcmd ${to} ${metric.name}=${metric.value}`);
    if (to !== device || metric.name !== "Properties/Class" || metric.value === "key") continue;
    rank = metric.value;
    publishBirths();
  }
});
client.on("error", (error) => console.log(`error ${error.message}`));

setInterval(() => {
  temperature += 0.25;
  client.publishDeviceData(device, {
    timestamp: Date.now(),
    metrics: [{ name: "Supply/Temperature", type: "Double", value: temperature, timestamp: Date.now() }],
  });
  console.log(`published ${temperature}`);
}, 500);
