-- What holds for all of the books.

create table settings (
  name text not null,
  value text not null,
  primary key (name)
) strict, without rowid;
