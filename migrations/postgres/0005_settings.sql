-- What holds for all of the books.

create table settings (
  name text collate "C" not null,
  value text collate "C" not null,
  primary key (name)
);
