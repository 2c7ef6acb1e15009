// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>

#include "aggregator/identity/password.hpp"
#include "aggregator/identity/secret.hpp"
#include "aggregator/identity/users_file.hpp"
#include "aggregator/web/fake_configurations.hpp"
#include "aggregator/web/fake_identities.hpp"
#include "aggregator/web/fake_outputs.hpp"
#include "aggregator/web/fake_room.hpp"
#include "aggregator/web/web_server.hpp"

/// For tests: a real server on a free loopback port with a throw-away certificate, and a real client.
namespace watchroom::aggregator {

inline constexpr std::string_view test_password = "correct horse battery";

struct Reply {
  CURLcode curl = CURLE_OK;
  long status = 0;
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case

  bool has(std::string_view text) const { return body.find(text) != std::string::npos; }
};

struct Ask {
  std::string method = "GET";
  std::string path;
  std::vector<std::string> headers = {};
  std::string body = {};
};

/// Options that every request to the test's server has.
inline void aim(CURL* curl, const std::string& url, const std::filesystem::path& ca) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CAINFO, ca.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
}

class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-web-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  std::filesystem::path write(std::string_view name, std::string_view text) const {
    std::ofstream{path_ / name} << text;
    std::filesystem::permissions(path_ / name, std::filesystem::perms{0600});
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

class ServedRoom : public ::testing::Test {
 protected:
  ServedRoom() {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 "
        "-addext subjectAltName=IP:127.0.0.1 -keyout " +
        (folder / "key.pem").string() + " -out " + (folder / "ca.pem").string() + " 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0);
    UsersFile users_file;
    for (const Role role : all_roles) {
      const std::string name{name_of(role)};
      users_file.users.push_back({name, role, cheap_hash(test_password)});
      tokens[role] = new_token();
      users_file.tokens.push_back({"test", name, sha256_hex(tokens[role])});
    }
    EXPECT_TRUE(replace_users(users_file));
    settings.listen_port = 0;
    settings.certificate_file = folder / "ca.pem";
    settings.key_file = folder / "key.pem";
    settings.event_interval = std::chrono::milliseconds{20};
    settings.users_check_interval = std::chrono::milliseconds{20};
  }

  void SetUp() override { start(); }

  Served served() { return {room, identities, configurations, outputs, users, audit, refusals}; }
  void start() {
    Problems problems;
    ASSERT_TRUE(audit.start());
    users.load(problems);
    ASSERT_TRUE(problems.empty()) << problems.str();
    server.emplace(settings, served(), clock, log);
    const auto started = server->start();
    ASSERT_TRUE(started) << started.error().text;
  }

  static std::string cheap_hash(std::string_view password) {
    return *hash_password(password, {.memory_kib = 64, .passes = 1, .lanes = 1});
  }
  bool replace_users(const UsersFile& content) {
    return static_cast<bool>(edit_users_file(folder / "users.toml", [&](UsersFile& old) -> Result<void> {
      old = content;
      return {};
    }));
  }

  /// The newest entries of the audit log that are of this action, oldest first, once what was recorded is on
  /// the disk.
  std::vector<AuditEntry> entries_of(std::string_view action) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (audit.figures().waiting > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    auto reader = AuditReader::open(audit.file());
    auto all = reader ? reader->read({.limit = 10'000}) : Result<std::vector<AuditEntry>>{reader.error()};
    EXPECT_TRUE(all);
    std::erase_if(*all, [&](const AuditEntry& entry) { return entry.event.action != action; });
    return *all;
  }

  std::string url(std::string_view path = "") const {
    return fmt::format("https://127.0.0.1:{}{}", server->port(), path);
  }

  Reply call(const Ask& ask) const {
    Reply reply;
    CURL* curl = curl_easy_init();
    aim(curl, url(ask.path), folder / "ca.pem");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask.method.c_str());
    if (ask.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    curl_slist* headers = nullptr;
    for (const std::string& header : ask.headers) headers = curl_slist_append(headers, header.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (!ask.body.empty()) {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, ask.body.c_str());
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(ask.body.size()));
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply.headers);
    reply.curl = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return reply;
  }

  Reply get(const std::string& path, Role role = Role::viewer) const {
    return call({.path = path, .headers = {bearer(role)}});
  }
  Reply post(const std::string& path, const std::string& body, std::vector<std::string> headers) const {
    headers.push_back("Content-Type: application/json");
    return call({.method = "POST", .path = path, .headers = std::move(headers), .body = body});
  }
  Reply log_in(const std::string& name, std::string_view password = test_password) const {
    return post("/api/v1/session", fmt::format(R"({{"name":"{}","password":"{}"}})", name, password), {});
  }
  /// "Cookie: wr_session=…" of a fresh log-in.
  std::string cookie_of(const std::string& name) const {
    const std::string set = log_in(name).headers["set-cookie"];
    return "Cookie: " + set.substr(0, set.find(';'));
  }
  std::string bearer(Role role) const { return "Authorization: Bearer " + tokens.at(role); }

  TestFolder folder;
  std::map<Role, std::string> tokens;
  FakeClock clock;
  Log log = Log::quiet();
  FakeRoom room;
  FakeIdentities identities;
  FakeConfigurations configurations;
  FakeOutputs outputs;
  WebSettings settings;
  AuditLog audit{folder / "audit.db", clock, log};
  RefusalTally refusals{clock};
  Users users{folder / "users.toml", log, {{"north", {"hq", "annex"}}}, &audit};
  std::optional<WebServer> server;

 private:
  static std::size_t take_body(const char* bytes, std::size_t, std::size_t count, void* body) {
    static_cast<std::string*>(body)->append(bytes, count);
    return count;
  }
  static std::size_t take_header(const char* bytes, std::size_t, std::size_t count, void* headers) {
    const std::string line{bytes, count};
    const auto colon = line.find(": ");
    if (colon == std::string::npos) return count;
    std::string name = line.substr(0, colon);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    (*static_cast<std::map<std::string, std::string>*>(headers))[name] =
        line.substr(colon + 2, line.find_last_not_of("\r\n") - colon - 1);
    return count;
  }
};

/// A browser that listens to /api/v1/events, on a thread of its own.
class EventReader {
 public:
  enum class Reading { yes, no };

  EventReader(std::string url, std::string header, std::filesystem::path ca, Reading reading = Reading::yes)
      : reading_{reading}, thread_{[this, url, header, ca] { run(url, header, ca); }} {}
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;
  ~EventReader() {
    is_leaving_ = true;
    thread_.join();
  }

  /// Whether `text` arrives within ten seconds.
  bool hears(std::string_view text) {
    return waits_for([&] { return heard_.find(text) != std::string::npos; });
  }
  bool ends() {
    return waits_for([&] { return is_over_; });
  }
  std::string heard() {
    const std::lock_guard lock{mutex_};
    return heard_;
  }

 private:
  template <typename Condition>
  bool waits_for(Condition condition) {
    std::unique_lock lock{mutex_};
    return news_.wait_for(lock, std::chrono::seconds{10}, condition);
  }

  void run(const std::string& url, const std::string& header, const std::filesystem::path& ca) {
    CURL* curl = curl_easy_init();
    aim(curl, url, ca);
    curl_slist* headers = curl_slist_append(nullptr, header.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &is_told_to_leave);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
    curl_easy_perform(curl);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    const std::lock_guard lock{mutex_};
    is_over_ = true;
    news_.notify_all();
  }

  static std::size_t take(const char* bytes, std::size_t, std::size_t count, void* self_pointer) {
    auto& self = *static_cast<EventReader*>(self_pointer);
    const std::lock_guard lock{self.mutex_};
    self.heard_.append(bytes, count);
    self.news_.notify_all();
    // A reader that does not read lets its socket fill after the first bytes.
    return self.reading_ == Reading::yes ? count : CURL_WRITEFUNC_PAUSE;
  }
  static int is_told_to_leave(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<EventReader*>(self)->is_leaving_ ? 1 : 0;
  }

  const Reading reading_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::string heard_;
  bool is_over_ = false;
  std::atomic<bool> is_leaving_ = false;
  std::thread thread_;
};

}  // namespace watchroom::aggregator
