#pragma once

namespace mpq {

/// Processor time of the calling thread. Sessions run in the thread that calls them, so this is what a piece of work
/// costs however many others share the machine.
double thread_seconds();

}  // namespace mpq
