// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { mount } from "svelte";
import { mark_tab } from "./alarms/tab_mark";
import App from "./app.svelte";
import "./style.css";

mark_tab(0, document.title);
const target = document.getElementById("page");
if (target) mount(App, { target });
