// One operation of a foreign log: its line, and the frontier under which it was made. The first
// line of the input is the operation, the rest the frontier.

#include "domain/fold.h"
#include "domain/frontier.h"
#include "fuzz/target.h"

using namespace dutybook;

namespace {

const domain::OperationId place{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbb", 7};

void check_line(std::string_view line) {
    const auto read = domain::read_operation(line, place);
    if (read.reading != domain::Reading::Good) {
        fuzz::must(!read.why.empty(), "what is not applied has a reason");
        return;
    }
    const domain::Known known{&read.operation, nullptr};
    (void)domain::fold({&known, 1});
    const auto written = domain::write_operation(read.operation);
    if (!written) return;  // the canonical spelling may be longer than what was read
    const auto again = domain::read_operation(*written, place);
    fuzz::must(again.reading == domain::Reading::Good, "an operation that was written is read");
    const auto same = domain::write_operation(again.operation);
    fuzz::must(same && *same == *written, "an operation has one canonical spelling");
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(operation) {
    const auto end = bytes.find('\n');
    check_line(bytes.substr(0, end));
    if (end == std::string_view::npos) return;
    const auto frontier = domain::Frontier::parse(bytes.substr(end + 1));
    if (!frontier) return;
    const auto again = domain::Frontier::parse(frontier->text());
    fuzz::must(again && *again == *frontier, "a frontier that was written reads the same");
}
