#include "cli/output.h"

#include "base/file.h"

#include <ostream>

namespace dutybook::cli {

Result<int> write_output(Session& session, const std::string& text, const std::string& out) {
    if (out.empty() || out == "-") {
        session.out() << text;
        return done;
    }
    TRY(write_file_atomically(std::filesystem::absolute(out), text, 0644));
    session.err() << "wrote " << out << '\n';
    return done;
}

}  // namespace dutybook::cli
