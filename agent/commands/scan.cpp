// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <unistd.h>

#include "agent/commands/commands.hpp"
#include "agent/commands/scan_range.hpp"
#include "agent/commands/scratch_folder.hpp"
#include "agent/drivers/driver.hpp"

namespace watchroom::agent {
namespace {

constexpr std::size_t most_threads = 16;

/// One address and what stands there.
struct Target {
  DeviceAddress address;
  bool is_there = false;
  Profiles profiles;               // empty: none fits
  std::vector<std::string> notes;  // of a device that no profile fits
};

/// Lets devices of one line be asked one after the other, and several lines at once.
class Scan {
 public:
  Scan(const DriverType& driver, const ScanOptions& options, const BusContext& context,
       std::vector<Target>& targets)
      : driver_{driver},
        context_{context},
        patience_{options.reply_timeout, 1},
        profiles_{load_profiles(options.profiles_dir.value_or(installed_profiles_folder()), driver.name)},
        count_{targets.size()} {
    std::map<std::string, std::vector<Target*>> by_line;
    for (Target& target : targets) by_line[target.address.bus()].push_back(&target);
    for (auto& [line, members] : by_line) lines_.push_back(std::move(members));
  }

  void run() {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < std::min(most_threads, lines_.size()); ++i)
      threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\n");
  }

 private:
  void work() {
    for (std::size_t i = next_++; i < lines_.size(); i = next_++) {
      bool is_open = true;
      bool has_trouble = false;
      for (Target* target : lines_[i]) {
        const auto trouble = is_open ? ask(*target) : std::nullopt;
        if (trouble && !std::exchange(has_trouble, true)) tell_trouble(*target, *trouble);
        // A port that cannot be opened, or a host that refuses, does so for each of its units.
        if (trouble && trouble->code == Errc::not_connected) is_open = false;
        tell(*target);
      }
    }
  }

  /// What else than silence kept it from being found.
  std::optional<Error> ask(Target& target) {
    auto recognised = driver_.recognise(target.address, profiles_, context_, patience_);
    if (recognised) {
      target.is_there = true;
      target.profiles = *std::move(recognised);
      return std::nullopt;
    }
    const Errc code = recognised.error().code;
    target.is_there = code == Errc::not_found || code == Errc::not_authorized || code == Errc::refused;
    if (code == Errc::not_connected || code == Errc::corrupt || code == Errc::full) return recognised.error();
    if (!target.is_there) return std::nullopt;
    target.notes.push_back(recognised.error().text.substr(0, recognised.error().text.find("; give it")));
    if (code == Errc::not_found)
      for (std::string& line : driver_.survey(target.address, context_))
        target.notes.push_back(std::move(line));
    return std::nullopt;
  }

  /// In a range of hosts most have nothing that listens: the first tells enough.
  void tell_trouble(const Target& target, const Error& error) {
    const std::lock_guard lock{mutex_};
    const bool is_absent_host = error.code == Errc::not_connected && lines_.size() > 1;
    if (is_absent_host && ++absent_hosts_ > 1) return;
    fmt::print(stderr, "{}: {}{}\n", target.address.text, error.text,
               is_absent_host ? " (and likewise others, which are not told)" : "");
  }

  void tell(const Target& target) {
    const std::lock_guard lock{mutex_};
    ++asked_;
    const char* end = ::isatty(STDERR_FILENO) != 0 ? "\r" : "\n";
    if (target.is_there)
      fmt::print(stderr, "{}: {}\n", target.address.text,
                 target.profiles.empty() ? "answers, no profile fits" : target.profiles.front()->name);
    constexpr std::size_t each = 16;
    if (*end == '\r' || asked_ % each == 0 || asked_ == count_)
      fmt::print(stderr, "{} of {} addresses asked{}", asked_, count_, end);
  }

  const DriverType& driver_;
  const BusContext& context_;
  Patience patience_;
  Profiles profiles_;
  std::vector<std::vector<Target*>> lines_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::size_t asked_ = 0;
  std::size_t absent_hosts_ = 0;
  std::size_t count_;
};

/// The address without what agent.toml takes from files.
std::string settings_address(const DeviceAddress& address, std::vector<std::string>& secrets) {
  std::string text = address.text;
  for (const SecretKey& secret : address.type->addresses.secrets) {
    const std::string key = std::string{secret.part} + "=";
    const auto at = text.find(key);
    if (at == std::string::npos) continue;
    const auto end = std::min(text.find('&', at), text.size());
    const std::string value = text.substr(at + key.size(), end - at - key.size());
    const bool is_last = end == text.size();
    text.erase(is_last ? at - 1 : at, end - at + 1);  // with the separator before or behind it
    secrets.push_back(
        fmt::format("{} = \"{}\"", secret.key, secret.part == secret.key ? value : std::string{secret.part}));
  }
  return text;
}

void write_device(std::ostream& out, const Target& target, int number) {
  const Profile& first = *target.profiles.front();
  std::vector<std::string> secrets;
  out << fmt::format("# {} {}\n[[device]]\nid = \"{}{}\"\nname = \"{} {}\"\nprofile = \"{}\"\n", first.maker,
                     first.model, first.name, number, first.maker, number, first.name);
  if (target.profiles.size() > 1) {
    std::string more;
    for (std::size_t i = 1; i < target.profiles.size(); ++i)
      more += fmt::format("{}\"{}\"", i > 1 ? ", " : "", target.profiles[i]->name);
    out << fmt::format("more_profiles = [{}]\n", more);
  }
  out << fmt::format("address = \"{}\"\n", settings_address(target.address, secrets));
  for (const std::string& secret : secrets) out << secret << '\n';
  out << '\n';
}

void write_settings(std::ostream& out, const std::vector<Target>& targets) {
  std::map<std::string, int> numbers;
  for (const Target& target : targets) {
    if (!target.is_there) continue;
    if (!target.profiles.empty()) {
      write_device(out, target, ++numbers[target.profiles.front()->name]);
      continue;
    }
    out << "# " << target.address.text << '\n';
    for (const std::string& note : target.notes) out << "#   " << note << '\n';
    out << '\n';
  }
}

Result<std::vector<Target>> targets_of(const ScanOptions& options) {
  const auto urls = expand_range(options.url, options.limit);
  if (!urls) return urls.error();
  std::vector<Target> targets;
  for (const std::string& url : *urls) {
    std::vector<AddressComplaint> complaints;
    auto address = parse_address(url, AddressOrigin::probe, complaints);
    if (!address)
      return fail(Errc::invalid, Retry::never, "{}{}{}", complaints.front().part,
                  complaints.front().part.empty() ? "" : ": ", complaints.front().text);
    targets.push_back({.address = *std::move(address), .profiles = {}, .notes = {}});
  }
  return targets;
}

}  // namespace

int scan_command(const ScanOptions& options) {
  auto targets = targets_of(options);
  if (!targets) {
    fmt::print(stderr, "{}\n", targets.error().text);
    return wrong_input;
  }
  const DriverType& driver = *targets->front().address.type;
  const SystemClock clock;
  const ScratchFolder scratch;
  driver.prepare(scratch.path());
  const BusContext context{clock, Log::to_stderr(LogLevel::error), scratch.path(), {}};
  Scan{driver, options, context, *targets}.run();

  std::ostringstream settings;
  write_settings(settings, *targets);
  if (options.out) {
    std::ofstream out{*options.out};
    out << settings.str();
    if (!out.flush()) {
      fmt::print(stderr, "{}: 无法写入 / cannot be written\n", options.out->string());
      return did_not_work;
    }
  } else {
    fmt::print("{}", settings.str());
  }
  const auto there =
      std::count_if(targets->begin(), targets->end(), [](const Target& one) { return one.is_there; });
  fmt::print(stderr, "{} of {} addresses answered\n", there, targets->size());
  return there > 0 ? done : did_not_work;
}

}  // namespace watchroom::agent
