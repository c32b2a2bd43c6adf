#include "api/batch.h"

#include "api/gate.h"
#include "api/problem.h"
#include "api/writing.h"

namespace dutybook::api {

namespace {

constexpr std::size_t line_bytes = 1024 * 1024;
constexpr std::size_t lines_in_group = 1000;
constexpr std::size_t groups = 2;
// A client may send a good part before it begins to read; more than this it must take first.
constexpr std::size_t unread_answers = 8u << 20;

}  // namespace

void LineSplitter::end_line(std::vector<Line>& out) {
    const bool empty = partial_.find_first_not_of(" \t\r") == std::string::npos;
    if (too_long_ || !empty) out.push_back({number_, std::move(partial_), too_long_});
    partial_.clear();
    too_long_ = false;
    ++number_;
}

void LineSplitter::feed(std::string_view piece, std::vector<Line>& out) {
    while (!piece.empty()) {
        const std::size_t end = piece.find('\n');
        const std::string_view part = piece.substr(0, end);
        if (!too_long_ && partial_.size() + part.size() > most_bytes_) {
            too_long_ = true;
            std::string().swap(partial_);
        }
        if (!too_long_) partial_ += part;
        if (end == std::string_view::npos) return;
        end_line(out);
        piece.remove_prefix(end + 1);
    }
}

void LineSplitter::finish(std::vector<Line>& out) {
    if (!partial_.empty() || too_long_) end_line(out);
}

Batch::Batch(const CallPtr& call, core::SpaceService& space, core::WriteRequest sample)
    : call_(call), space_(space), sample_(std::move(sample)), splitter_(line_bytes) {}

void Batch::start(const CallPtr& call, core::SpaceService& space) {
    auto sample = call->write(core::Action::Create);
    if (!sample) return call->answer(sample.error());
    const std::shared_ptr<Batch> batch(new Batch(call, space, std::move(*sample)));
    call->responder->start({200, lines_type, {}, {}});
    // Holds the batch while it waits for its client; the connection lets go of it at the end.
    call->responder->on_drained([batch] { batch->go_on(); });
    batch->read();
}

void Batch::read() {
    if (reading_ || body_ended_) return;
    reading_ = true;
    call_->responder->read_body(
        [self = shared_from_this()](const std::string& piece, bool last, bool ok) {
            self->reading_ = false;
            self->take(piece, last, ok);
        });
}

void Batch::take(const std::string& piece, bool last, bool ok) {
    std::vector<LineSplitter::Line> lines;
    splitter_.feed(piece, lines);
    // Where the body broke off, the line that was cut is nobody's; those before it count.
    if (last && ok) splitter_.finish(lines);
    const bool allowed = call_->still_allowed();
    if (allowed) {
        for (auto& line : lines) parse(std::move(line));
    } else {
        Error error = failure(Code::Forbidden, "the caller may no longer write",
                              "its token or account was taken away");
        const std::uint64_t number = lines.empty() ? 0 : lines.front().number;
        if (number != 0) error.line = number;
        waiting_.lines.emplace_back(number, std::move(error));
    }
    if (last || !allowed) body_ended_ = true;
    go_on();
}

void Batch::parse(LineSplitter::Line line) {
    auto request = request_of(line);
    if (request) {
        waiting_.requests.push_back(std::move(*request));
        waiting_.lines.emplace_back(line.number, std::nullopt);
        return;
    }
    Error error = std::move(request).error();
    error.line = line.number;
    waiting_.lines.emplace_back(line.number, std::move(error));
}

Result<core::WriteRequest> Batch::request_of(const LineSplitter::Line& line) const {
    if (line.too_long) {
        return failure(Code::TooLarge, "the line is too long", "at most 1 MiB is read",
                       "one operation holds up to 64 KiB");
    }
    TRY_ASSIGN(Json json, parse_json(line.text, {.depth = 32, .bytes = line_bytes}));
    TRY(check_members(*call_->request.endpoint, json));
    core::WriteRequest request = sample_;
    if (!request.idempotency_key.empty())
        request.idempotency_key += ":" + std::to_string(line.number);
    fill_create(request, std::move(json));
    TRY(check_choice_of_plugin(*call_, space_, request));
    return request;
}

void Batch::send_group() {
    ++groups_under_way_;
    auto group = std::make_shared<Group>(std::exchange(waiting_, {}));
    const auto self = shared_from_this();
    if (group->requests.empty()) {
        // Through the space's queue too, so that the order of answers is that of the lines.
        space_.post([self, group](core::SpaceEngine&) {
            self->call_->responder->post([self, group] { self->answer_group(*group, {}); });
        });
        return;
    }
    space_.write(std::move(group->requests),
                 [self, group](std::vector<Result<core::Written>> results) {
                     self->call_->responder->post([self, group, results = std::move(results)] {
                         self->answer_group(*group, results);
                     });
                 });
}

void Batch::answer_group(const Group& group, const std::vector<Result<core::Written>>& results) {
    --groups_under_way_;
    std::string out;
    std::size_t next = 0;
    for (const auto& [number, error] : group.lines) {
        if (error) {
            out += problem(*error).body;
            continue;
        }
        const Result<core::Written>& result = results[next++];
        if (result) {
            out += answer_text(*call_, space_, *result);
            out += '\n';
        } else {
            Error late = result.error();
            late.line = number;
            out += problem(late).body;
        }
    }
    call_->responder->write(std::move(out));
    go_on();
}

void Batch::go_on() {
    if (finished_) return;
    if (!waiting_.lines.empty() && groups_under_way_ < groups) send_group();
    if (body_ended_) {
        if (!waiting_.lines.empty() || groups_under_way_ > 0) return;
        finished_ = true;
        call_->responder->finish();
        return;
    }
    const bool full =
        waiting_.lines.size() >= lines_in_group || call_->responder->queued() > unread_answers;
    if (!full) read();
}

}  // namespace dutybook::api
