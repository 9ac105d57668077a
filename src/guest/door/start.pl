# Runs before a script of the guest's in the host's perl. Set before this: $host and $guest, their names in paths; $place,
# where the host's compiled modules lie; @of_library, those of libperl that scripts load. Modules in Perl are the guest's own,
# at the guest's paths; for compiled ones there is the host's build. Where one has none, or comes from elsewhere, the
# guest's own perl is started instead.
package DynaLoader;

local $!;
delete $INC{"$place/start.pl"};
s{^(/usr/(?:local/)?lib)/$host/}{$1/$guest/} for @INC;

my $counterpart = sub {
    my ($path) = @_;

    # Folders named after versions have more than one name.
    return $path =~ s{^/usr/lib/$guest/([^/]+).*?(?=/auto/)}{$1} ? "$place/modules/" . $path =~ tr{/}{.}r : '';
};

# The door does not open where qemu is spoken to, and qemu takes the variable away again.
my $emulate = sub {
    local $/;
    open my $file, '<', '/proc/self/cmdline' or die "slipway: /proc/self/cmdline: $!\n";
    my (undef, undef, undef, @arguments) = split /\0/, <$file>, -1;
    pop @arguments;
    $ENV{QEMU_UNSET_ENV} = 'QEMU_UNSET_ENV';
    exec {$^X} $^X, @arguments or die "slipway: $^X: $!\n";
};

# What might be loaded in the middle of the script's work is looked for now, when nothing has happened yet.
my @folders = grep -d, map "$_/auto", grep m{/$guest/} && !m{/perl-base$|/perl/[^/]+$} || m{^/usr/local/}, @INC;
my @modules = grep -e, map { my $folder = $_; map "$folder/auto/$_.so", @of_library } @INC;
while (defined(my $folder = shift @folders)) {
    opendir my $entries, $folder or next;
    for (map "$folder/$_", grep !/^\.\.?$/, readdir $entries) {
        push @folders, $_ if -d && !-l;
        push @modules, $_ if /\.so$/;
    }
}
&$emulate if grep !-e &$counterpart($_), @modules;

boot_DynaLoader('DynaLoader') unless defined &dl_error;
my $load = \&dl_load_file;
local $^W;
*dl_load_file = sub {
    my ($path, @flags) = @_;
    my $own = &$counterpart($path);

    &$emulate unless -e $own;
    return &$load($own, @flags);
};
1;
