// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
/// <reference types="vite/client" />
declare module "virtual:favicons" {
  const urls: string[];
  export default urls;
}
