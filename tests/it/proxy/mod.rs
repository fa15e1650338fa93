//! `audit proxy`, as a process between a client and a server.

mod http;
mod stand;
mod stdio;
mod web;
