// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/self_watch.hpp"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace watchroom::agent {
namespace {

constexpr std::string_view exposition_format = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view plain_text = "text/plain; charset=utf-8";

std::optional<SelfDevice> device_of(const SelfWatchSettings& settings) {
  return settings.device ? std::optional<SelfDevice>{std::in_place, *settings.device, settings.tells_events}
                         : std::nullopt;
}

std::string summary(const SelfFigures& figures) {
  int devices = 0, lost = 0;
  for (const BusRates& bus : figures.buses) {
    devices += bus.counts.devices;
    lost += bus.counts.lost;
  }
  return fmt::format("{} devices, {} lost; {} records waiting", devices, lost, figures.core.journal.waiting);
}

}  // namespace

SelfWatch::SelfWatch(SelfWatchSettings settings, SelfSources sources, Deliver deliver,
                     const Notifier& notifier, const Clock& clock, Log log)
    : settings_{std::move(settings)},
      deliver_{std::move(deliver)},
      notifier_{notifier},
      clock_{clock},
      log_{std::move(log)},
      collector_{settings_.files, std::move(sources), clock},
      device_{device_of(settings_)},
      watchdog_{notifier.watchdog_timeout()} {}

SelfWatch::~SelfWatch() { stop(); }

void SelfWatch::start() {
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (settings_.metrics) {
    auto opened = MetricsServer::open(
        *settings_.metrics, [this](std::string_view path) { return page(path); }, log_);
    if (opened) {
      server_ = *std::move(opened);
      log_.info("http://{}/metrics", settings_.metrics->str());
    } else {
      log_.warning("no /metrics: {}", opened.error().text);
    }
  }
  thread_ = std::thread{[this] { run(); }};
}

void SelfWatch::poll_soon() {
  is_poll_wanted_ = true;
  if (const int wake = wake_; wake >= 0) ::eventfd_write(wake, 1);
}

void SelfWatch::reconfigure(std::size_t index, bool tells_events, const std::function<void()>& change) {
  const std::lock_guard lock{device_mutex_};
  change();
  if (!device_) return;
  device_.emplace(index, tells_events);
  poll_soon();
}

void SelfWatch::stop() {
  if (!thread_.joinable()) return;
  is_stopping_ = true;
  ::eventfd_write(wake_, 1);
  thread_.join();
  server_.reset();
  ::close(wake_.exchange(-1));
}

void SelfWatch::run() {
  Steady poll_due = clock_.steady();
  while (!is_stopping_) {
    const Steady now = clock_.steady();
    if (is_poll_wanted_.exchange(false) || now >= poll_due) {
      poll();
      poll_due = now + self_poll_interval;
    }
    if (now >= watchdog_.due()) look_for_the_missing();
    wait_until(std::min(poll_due, watchdog_.due()));
  }
}

void SelfWatch::wait_until(Steady due) {
  auto pause = std::max(due - clock_.steady(), std::chrono::milliseconds{0});
  if (server_) pause = std::min(pause, server_->patience().value_or(pause));
  std::array<pollfd, 2> awaited{pollfd{wake_, POLLIN, 0}, pollfd{-1, POLLIN, 0}};
  if (server_) awaited[1].fd = server_->descriptor();
  ::poll(awaited.data(), awaited.size(), static_cast<int>(pause.count()));
  eventfd_t ignored = 0;
  ::eventfd_read(wake_, &ignored);
  if (server_ && !is_stopping_) server_->serve();
}

void SelfWatch::poll() {
  const SelfFigures figures = collector_.collect();
  {
    const std::lock_guard lock{device_mutex_};
    if (device_) deliver_(device_->polled(figures));
  }
  tell_status(figures);
}

void SelfWatch::tell_status(const SelfFigures& figures) {
  if (!notifier_.is_heard()) return;
  const auto complaints = complaints_about(figures);
  std::string status = complaints.empty() ? summary(figures) : fmt::format("{}", fmt::join(complaints, "; "));
  if (status == told_status_) return;
  told_status_ = std::move(status);
  notifier_.status(told_status_);
}

void SelfWatch::look_for_the_missing() {
  const SelfFigures figures = collector_.collect();
  const auto missing = who_is_missing(figures);
  const Watchdog::Verdict verdict = watchdog_.look(figures.steady, missing);
  if (verdict.is_well) notifier_.watchdog();
  if (!verdict.has_changed) return;
  if (verdict.is_well)
    log_.info("everybody has come by again");
  else
    log_.error("{}{}", fmt::join(missing, "; "),
               notifier_.watchdog_timeout() ? "; systemd will restart us unless it does" : "");
}

std::optional<MetricsPage> SelfWatch::page(std::string_view path) {
  if (path == "/metrics") {
    MetricsPage page{200, exposition_format, {}};
    page.text.reserve(page_size_ + page_size_ / 8);
    write_prometheus(collector_.collect(), page.text);
    page_size_ = page.text.size();
    return page;
  }
  if (path == "/healthz") {
    const SelfFigures figures = collector_.collect();
    const auto complaints = complaints_about(figures);
    if (complaints.empty()) return MetricsPage{200, plain_text, "ok: " + summary(figures) + "\n"};
    return MetricsPage{503, plain_text, fmt::format("{}\n", fmt::join(complaints, "\n"))};
  }
  return std::nullopt;
}

}  // namespace watchroom::agent
