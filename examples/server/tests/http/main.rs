//! What does the server answer? The program itself with the model that ships, asked over HTTP.

mod cohere;
mod cohere_limits;
mod cohere_stream;
mod server;
