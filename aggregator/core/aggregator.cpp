// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/aggregator.hpp"

#include <atomic>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "aggregator/notify/courier.hpp"
#include "proto/model/point_name.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t queue_capacity = 100'000;
constexpr std::size_t most_in_batch = 2'000;

bool is_birth_or_death(std::string_view topic) {
  const auto parsed = Topic::parse(topic);
  return parsed && (parsed->verb == Verb::nbirth || parsed->verb == Verb::ndeath ||
                    parsed->verb == Verb::dbirth || parsed->verb == Verb::ddeath);
}

/// Held while we run: two aggregators must never write one store.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    const auto file = folder / "lock";
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return fail(Errc::io, Retry::never, "{}: {}", file.string(), std::strerror(errno));
    FolderLock lock{descriptor};
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
      return fail(Errc::conflict, Retry::never, "{}: another aggregator uses this folder", folder.string());
    return lock;
  }
  FolderLock(FolderLock&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  explicit FolderLock(int descriptor) : descriptor_{descriptor} {}
  int descriptor_;
};

}  // namespace

AggregatorSettings AggregatorSettings::read(const SettingsTable& table) {
  AggregatorSettings read;
  read.core.intake.host_id =
      table.text("host_id", {.help = "Our Sparkplug host id; the agents' ack_hosts name it",
                             .fallback = "watchroom",
                             .longest = 64});
  // It is a level of a topic, and stands between blanks in acknowledgements.
  if (!is_valid_id(read.core.intake.host_id)) table.reject("host_id", "1 to 64 of A-Z a-z 0-9 _ -");
  read.data_dir = table.file(
      "data_dir",
      {.help = "Where the store lives", .fallback = "/var/lib/watchroom/aggregator", .must_exist = false});
  read.log_level = table.choice<LogLevel>("log_level",
                                          {{"debug", LogLevel::debug},
                                           {"info", LogLevel::info},
                                           {"warning", LogLevel::warning},
                                           {"error", LogLevel::error}},
                                          LogLevel::info, "What is worth a line in the log");
  read.broker = BrokerSettings::read(table.table("broker"));
  read.core.intake.read(table.table("intake"));
  const SettingsTable store = table.table("store");
  read.core.commit_interval = store.duration(
      "commit_ms", {.help = "Group commit: what arrives within this time becomes durable together",
                    .fallback = 20ms,
                    .least = 1ms,
                    .most = 1s});
  read.core.recent = std::chrono::duration_cast<std::chrono::hours>(store.duration(
      "recent_hours",
      {.help = "How long single readings stay readable", .fallback = 48h, .least = 1h, .most = 24h * 366}));
  store.finish();
  read.core.alarms = AlarmSettings::read(table.table("alarms"));
  read.core.intake.birth_wait = read.core.alarms.birth_wait;
  if (const auto email = table.optional_table("email")) read.core.email = EmailSettings::read(*email);
  read.rules = load_rules(read.core.alarms, table.problems());
  return read;
}

class Aggregator::Inside final : public MqttEvents, public Outside {
 public:
  Inside(AggregatorSettings settings, AuditTrail& audit, AskRefusals refusals, const Clock& clock, Log log)
      : settings_{std::move(settings)},
        audit_{audit},
        ask_refusals_{std::move(refusals)},
        clock_{clock},
        log_{std::move(log)} {}

  Result<void> start() {
    auto lock = FolderLock::take(settings_.data_dir);
    if (!lock) return lock.error();
    lock_.emplace(*std::move(lock));
    auto store = Store::open(settings_.data_dir);
    if (!store) return store.error();
    auto reader = StoreReader::open(settings_.data_dir);
    if (!reader) return reader.error();
    room_ = std::make_unique<PublishedRoom>(
        *std::move(reader),
        [this](std::int64_t alarm, const std::string& by, const std::string& comment) {
          return ask_to_acknowledge(alarm, by, comment);
        },
        [this](const DevicePlace& device, const std::string& wanted, const std::string& by) {
          return ask_for_class(device, wanted, by);
        });
    if (settings_.core.email)
      courier_ = std::make_unique<Courier>(make_email(*settings_.core.email),
                                           [this](std::int64_t mail, const Result<void>& result) {
                                             events_.put_regardless(Delivered{mail, result});
                                           });
    else
      log_.warning("no [email] section: alarms are shown, but nobody is sent a mail");
    auto core = Core::make(settings_.core, settings_.rules, *std::move(store), *room_, *this, clock_, log_);
    if (!core) return core.error();
    core_ = *std::move(core);
    session_ = std::make_unique<MqttSession>(settings_.broker, settings_.core.intake.host_id, *this,
                                             system_certificate_time, log_.tagged("mqtt"));
    if (auto started = session_->start(); !started) return started.error();
    thread_ = std::thread{[this] { run(); }};
    return {};
  }

  void stop() {
    is_stopping_ = true;
    if (session_) {
      // host-topic-phid-death-payload-timestamp-disconnect-clean: the current time, then DISCONNECT.
      (void)session_->publish(connected_session_,
                              {state_topic(settings_.core.intake.host_id),
                               HostState{false, to_ms(clock_.now())}.str(), Qos::at_least_once, true});
      session_->stop(3s);
    }
    // The core hands over to the courier, the courier reports to the core's mailbox, which is ours: who calls
    // ends before who is called.
    events_.close();
    if (thread_.joinable()) thread_.join();
    courier_.reset();
  }

  ~Inside() override { stop(); }

  Result<void> send_order(const std::string& site, const std::string& agent, const std::string& order) {
    return session_->publish(connected_session_, Host::order({site, agent}, order, clock_.now()));
  }
  void reconnect() { session_->reconnect(); }
  void tell(IdentityNews news) { events_.put_regardless(std::move(news)); }

  Room& room() { return *room_; }

  // MqttEvents, on the MQTT thread
  MqttMessage will(SessionNumber) override {
    state_timestamp_ms_ = to_ms(clock_.now());
    return {state_topic(settings_.core.intake.host_id), HostState{false, state_timestamp_ms_}.str(),
            Qos::at_least_once, true};
  }
  void on_connected(SessionNumber session) override {
    connected_session_ = session;
    events_.put_regardless(Connected{session, state_timestamp_ms_});
  }
  void on_disconnected(SessionNumber, bool, const std::string& reason) override {
    events_.put_regardless(Disconnected{reason});
  }
  void on_message(SessionNumber, std::string_view topic, std::string_view payload) override {
    if (is_stopping_) return;  // our own farewell comes back too
    Received received{std::string{topic}, std::string{payload}};
    // Who is there must never be missed. Of the rest a full queue drops what does not fit: journal records
    // come again.
    if (is_birth_or_death(topic))
      events_.put_regardless(std::move(received));
    else if (!events_.put(std::move(received)) && dropped_++ == 0)
      log_.error("the intake queue is full; messages are dropped until it is not");
  }

  // Outside, on the core's thread
  void subscribe(SessionNumber session, const std::vector<std::string>& topics) override {
    if (auto done = session_->subscribe(session, topics, Qos::at_least_once); !done)
      log_.warning("{}", done.error().text);
  }
  void publish(SessionNumber session, const MqttMessage& message) override {
    // A session that has just ended is news already; what it should have carried is due again in the next
    // one.
    (void)session_->publish(session, message);
  }
  bool hand_over(std::int64_t mail, Notice notice) override {
    return courier_ && courier_->take(mail, std::move(notice));
  }
  void record(AuditEvent event) override { audit_.record(std::move(event)); }
  std::string audit_trouble() const override { return audit_.trouble(); }
  Refusals refusals() const override { return ask_refusals_(); }
  IntakeLoad intake_load() const override { return {events_.size(), events_.capacity(), events_.refused()}; }

 private:
  std::future<Result<AlarmView>> ask_to_acknowledge(std::int64_t alarm, const std::string& by,
                                                    const std::string& comment) {
    auto answer = std::make_unique<std::promise<Result<AlarmView>>>();
    auto future = answer->get_future();
    if (!events_.put(Acknowledge{alarm, by, comment, std::move(answer)})) return too_busy<AlarmView>();
    return future;
  }

  std::future<Result<DeviceView>> ask_for_class(const DevicePlace& device, const std::string& wanted,
                                                const std::string& by) {
    auto answer = std::make_unique<std::promise<Result<DeviceView>>>();
    auto future = answer->get_future();
    if (!events_.put(AskForClass{device, wanted, by, std::move(answer)})) return too_busy<DeviceView>();
    return future;
  }

  template <typename View>
  static std::future<Result<View>> too_busy() {
    std::promise<Result<View>> refused;
    refused.set_value(fail(Errc::full, Retry::later, "the aggregator is stopping or its queue is full"));
    return refused.get_future();
  }

  void run() {
    while (true) {
      auto batch = events_.take(most_in_batch, core_->next_deadline());
      const bool is_last = events_.is_closed() && batch.empty();
      if (!batch.empty()) gather(batch);
      core_->step(std::move(batch));
      if (is_last) return;
    }
  }

  /// Lets what arrives within the commit interval share one commit.
  void gather(std::vector<CoreEvent>& batch) {
    const auto deadline = std::chrono::steady_clock::now() + settings_.core.commit_interval;
    while (batch.size() < most_in_batch && std::chrono::steady_clock::now() < deadline &&
           !events_.is_closed()) {
      auto more = events_.take(most_in_batch - batch.size(), deadline);
      batch.insert(batch.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    }
  }

  const AggregatorSettings settings_;
  AuditTrail& audit_;
  const AskRefusals ask_refusals_;
  const Clock& clock_;
  const Log log_;
  std::optional<FolderLock> lock_;
  Mailbox<CoreEvent> events_{queue_capacity};
  std::atomic<std::int64_t> state_timestamp_ms_ = 0;
  std::atomic<SessionNumber> connected_session_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<bool> is_stopping_ = false;
  std::unique_ptr<PublishedRoom> room_;
  std::unique_ptr<Courier> courier_;
  std::unique_ptr<MqttSession> session_;
  std::unique_ptr<Core> core_;
  std::thread thread_;
};

Aggregator::Aggregator(AggregatorSettings settings, AuditTrail& audit, AskRefusals refusals,
                       const Clock& clock, Log log)
    : inside_{
          std::make_unique<Inside>(std::move(settings), audit, std::move(refusals), clock, std::move(log))} {}
Aggregator::~Aggregator() = default;
Result<void> Aggregator::start() { return inside_->start(); }
void Aggregator::stop() { inside_->stop(); }
Result<void> Aggregator::send_order(const std::string& site, const std::string& agent,
                                    const std::string& order) {
  return inside_->send_order(site, agent, order);
}
void Aggregator::reconnect() { inside_->reconnect(); }
void Aggregator::tell(IdentityNews news) { inside_->tell(std::move(news)); }
Room& Aggregator::room() { return inside_->room(); }

}  // namespace watchroom::aggregator
