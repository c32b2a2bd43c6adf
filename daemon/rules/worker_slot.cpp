#include "rules/worker_slot.h"

#include <algorithm>

namespace dutybook::rules {

namespace {

constexpr std::size_t quarantine_crashes = 5;
constexpr Millis quarantine_window = 10 * 60'000;
constexpr Millis first_backoff = 100;
constexpr Millis longest_backoff = 60'000;
constexpr std::uint64_t forgiving_successes = 100;
// A plugin that dies of every record must not cost one restart for each of ten thousand.
constexpr std::size_t deaths_in_a_row = 8;

// ms on top of a call's deadline: the libraries of a shared object, on a busy machine.
constexpr Millis time_to_load = 500;
constexpr std::size_t batch_bytes = 8u << 20;

std::span<const WorkerCall> beginning(std::span<const WorkerCall> calls, std::size_t most) {
    std::size_t count = 1, bytes = calls.front().input.size();
    while (count < calls.size() && count < most) {
        bytes += calls[count].input.size();
        if (bytes > batch_bytes) break;
        ++count;
    }
    return calls.first(count);
}

}  // namespace

std::string_view name_of(SlotState state) {
    switch (state) {
        case SlotState::Stopped:
            return "stopped";
        case SlotState::Running:
            return "running";
        case SlotState::Backoff:
            return "backoff";
        case SlotState::Quarantined:
            return "quarantined";
        case SlotState::Broken:
            return "broken";
    }
    return "stopped";
}

WorkerSlot::WorkerSlot(Options options, WorkerLoad load)
    : options_(std::move(options)), load_(std::move(load)) {}

bool WorkerSlot::ready(std::string& why) {
    if (process_ && process_->alive()) return true;
    const Millis now = options_.clock->monotonic();
    if (status_.state == SlotState::Quarantined || status_.state == SlotState::Broken ||
        (status_.state == SlotState::Backoff && now < backoff_until_)) {
        why = status_.last_fault;
        return false;
    }
    const WorkerProcess::StartDeadlines deadlines{options_.start_deadline,
                                                  options_.call_deadline + time_to_load};
    auto started = WorkerProcess::start(options_.program, load_, deadlines, pulse_);
    if (!started) {
        why = started.error().text();
        if (started.error().code == Code::Malformed) {
            status_.state = SlotState::Broken;
            status_.last_fault = why;
        } else {
            count_crash(why);
        }
        return false;
    }
    if (process_ || status_.restarts > 0 || !status_.last_fault.empty()) ++status_.restarts;
    process_ = std::move(*started);
    configured_ = load_.configuration;
    status_.state = SlotState::Running;
    status_.sandbox = process_->ready();
    return true;
}

void WorkerSlot::count_crash(const std::string& fault) {
    const Millis now = options_.clock->monotonic();
    status_.last_fault = fault;
    crashes_.push_back(now);
    while (!crashes_.empty() && now - crashes_.front() > quarantine_window) crashes_.pop_front();
    successes_since_crash_ = 0;
    if (crashes_.size() >= quarantine_crashes) {
        status_.state = SlotState::Quarantined;
        status_.last_fault = "quarantined after " + std::to_string(crashes_.size()) +
                             " crashes in ten minutes: " + fault;
        process_.reset();
        return;
    }
    backoff_ = std::clamp(backoff_ * 2, first_backoff, longest_backoff);
    backoff_until_ = now + backoff_;
    status_.state = SlotState::Backoff;
}

// Empty if the worker has the configuration, else what went wrong.
std::string WorkerSlot::configure(const std::string& configuration) {
    if (configured_ == configuration) return {};
    const WorkerCall call{"configure", "plugin", configuration};
    const auto result = process_->run({&call, 1}, options_.call_deadline);
    if (!result.fault.empty()) return result.fault;
    if (!result.answers.front()) return result.answers.front().error().text();
    configured_ = configuration;
    return {};
}

WorkerSlot::Answers WorkerSlot::run_calls(std::span<const WorkerCall> calls,
                                          const std::string& configuration) {
    Answers answers;
    answers.reserve(calls.size());
    std::size_t deaths = 0;  // since the last success
    std::size_t batch = options_.batch;
    bool succeeded = false;
    std::string fault;
    while (answers.size() < calls.size()) {
        std::string why;
        bool is_ready = ready(why);
        if (is_ready) {
            why = configure(configuration);
            if (!why.empty()) {
                process_.reset();
                count_crash("refuses its configuration: " + why);
                is_ready = false;
            }
        }
        if (!is_ready) {
            while (answers.size() < calls.size()) {
                answers.emplace_back(
                    failure(Code::Unavailable, "plugin " + load_.plugin + " is down", why));
            }
            return answers;
        }
        const auto next = beginning(calls.subspan(answers.size()), batch);
        auto result = process_->run(next, options_.call_deadline);
        if (result.fault.empty()) {
            for (auto& answer : result.answers) {
                if (answer) {
                    succeeded = true;
                    ++successes_since_crash_;
                }
                answers.push_back(std::move(answer));
            }
            deaths = 0;
            batch = options_.batch;
            continue;
        }
        fault = result.fault;
        status_.last_fault = fault;
        if (result.finished > 0) {
            batch = result.finished;  // run those again, then the culprit alone
            continue;
        }
        if (next.size() > 1) {
            batch = 1;  // the first of the batch did it, as far as the page can be believed
            continue;
        }
        answers.emplace_back(failure(Code::Internal, "plugin " + load_.plugin + " " + fault));
        batch = options_.batch;
        if (++deaths >= deaths_in_a_row) break;
    }
    if (!fault.empty() && !succeeded && successes_since_crash_ < forgiving_successes) {
        count_crash(fault);
    } else if (succeeded) {
        backoff_ = 0;
    }
    while (answers.size() < calls.size()) {
        answers.emplace_back(failure(
            Code::Unavailable, "plugin " + load_.plugin + " is down",
            "it died of " + std::to_string(deaths) + " records in a row, last it " + fault));
    }
    return answers;
}

}  // namespace dutybook::rules
