// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/net/curl_library.hpp"

#include <dlfcn.h>

namespace watchroom::agent {
namespace {

Result<CurlLibrary> load() {
  void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!library) return fail(Errc::not_connected, Retry::never, "libcurl4 cannot be loaded: {}", ::dlerror());
  CurlLibrary curl;
  const char* missing = nullptr;
  const auto take = [&]<typename Function>(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    if (!function) missing = name;
  };
  take(curl.global_init, "curl_global_init");
  take(curl.global_cleanup, "curl_global_cleanup");
  take(curl.easy_init, "curl_easy_init");
  take(curl.setopt, "curl_easy_setopt");
  take(curl.getinfo, "curl_easy_getinfo");
  take(curl.easy_cleanup, "curl_easy_cleanup");
  take(curl.text_of, "curl_easy_strerror");
  take(curl.list_append, "curl_slist_append");
  take(curl.list_free, "curl_slist_free_all");
  take(curl.multi_init, "curl_multi_init");
  take(curl.multi_add, "curl_multi_add_handle");
  take(curl.multi_remove, "curl_multi_remove_handle");
  take(curl.multi_perform, "curl_multi_perform");
  take(curl.multi_poll, "curl_multi_poll");
  take(curl.multi_info_read, "curl_multi_info_read");
  take(curl.multi_cleanup, "curl_multi_cleanup");
  if (missing) return fail(Errc::not_connected, Retry::never, "libcurl4 is too old: it has no {}", missing);
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return fail(Errc::not_connected, Retry::never, "libcurl4 cannot be set up");
  return curl;
}

}  // namespace

const Result<CurlLibrary>& CurlLibrary::get() {
  static const Result<CurlLibrary> loaded = load();
  return loaded;
}

}  // namespace watchroom::agent
